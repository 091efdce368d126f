import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeyFrame } from '../../src/rtp/key-frame-detect.js';
import { annexB } from './h264-arbitraries.js';

const slice = Uint8Array.of(0x41, 0x9a, 0x80);
const idr = Uint8Array.of(0x65, 0x88, 0x80);
const sps = Uint8Array.of(0x67, 0x42, 0xe0, 0x1f);

/** An AV1 OBU with a size field, and with an extension byte if asked for. */
function obu(type: number, payload: readonly number[], extension = false): number[] {
  const size = payload.length < 128 ? [payload.length] : [(payload.length & 0x7f) | 0x80, payload.length >>> 7];
  return [(type << 3) | (extension ? 4 : 0) | 2, ...(extension ? [0x20] : []), ...size, ...payload];
}

const TEMPORAL_DELIMITER = obu(2, []);
const SEQUENCE_HEADER = obu(1, [0, 0, 0, 0x42]);

describe('isKeyFrame', () => {
  it.each([
    ['vp8', 'a key frame', [0x50, 0x42, 0x00, 0x9d, 0x01, 0x2a], true],
    ['vp8', 'an interframe', [0x51, 0x42, 0x00], false],
    ['vp8', 'nothing', [], false],
    ['vp9', 'a key frame of profile 0', [0x82, 0x49, 0x83, 0x42], true],
    ['vp9', 'an interframe of profile 0', [0x86, 0x00], false],
    ['vp9', 'a shown existing frame of profile 0', [0x88], false],
    ['vp9', 'a key frame of profile 1', [0xa2, 0x49, 0x83, 0x42], true],
    ['vp9', 'an interframe of profile 2', [0x96], false],
    ['vp9', 'a key frame of profile 3', [0xb1, 0x24, 0xc1], true],
    ['vp9', 'an interframe of profile 3', [0xb2], false],
    ['vp9', 'a shown existing frame of profile 3', [0xb4], false],
    ['vp9', 'another frame marker', [0x02], false],
    ['vp9', 'nothing', [], false],
    ['h264', 'an IDR slice behind its parameter sets', annexB([sps, idr]), true],
    ['h264', 'a slice of a delta frame', annexB([slice]), false],
    ['h264', 'parameter sets before a delta frame', annexB([sps, slice]), false],
    ['av1', 'a sequence header and a frame', [...TEMPORAL_DELIMITER, ...SEQUENCE_HEADER, ...obu(6, [0x10])], true],
    ['av1', 'a frame', [...TEMPORAL_DELIMITER, ...obu(6, [0x30, 1, 2])], false],
    [
      'av1',
      'a sequence header behind 200 bytes of metadata',
      [...obu(5, new Array(200).fill(9)), ...SEQUENCE_HEADER],
      true,
    ],
    ['av1', 'a sequence header behind an OBU with an extension', [...obu(5, [1, 2], true), ...SEQUENCE_HEADER], true],
    ['av1', 'a frame without a size whose bytes look like a sequence header', [0x30, 0, ...SEQUENCE_HEADER], false],
    ['av1', 'a size beyond the unit', [0x12, 0x7f, ...SEQUENCE_HEADER], false],
    ['av1', 'a size of more than 8 bytes', [0x12, ...new Array(8).fill(0x80), 0, ...SEQUENCE_HEADER], false],
    ['av1', 'a size that is cut off', [0x12, 0x80], false],
  ] as const)('tells for %s of %s', (codec, _name, bytes, expected) => {
    expect(isKeyFrame(codec, Uint8Array.from(bytes))).toBe(expected);
  });

  it('refuses H.264 that is not Annex B', () => {
    expect(() => isKeyFrame('h264', Uint8Array.of(0, 0, 0, 2, 0x65, 1))).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME' }),
    );
  });

  it('comes to an end on any bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom('vp8', 'vp9', 'av1'), fc.uint8Array({ maxLength: 100 }), (codec, bytes) => {
        expect(typeof isKeyFrame(codec, bytes)).toBe('boolean');
      }),
    );
  });
});
