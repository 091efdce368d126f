import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readVp9KeyFrame } from '../../src/rtp/vp9-key-frame.js';
import { Vp9Packetizer } from '../../src/rtp/vp9-packetizer.js';
import { depacketizeVp9 } from '../support/depacketize-vp9.js';
import { fixedRandom } from '../support/fixed-random.js';

const DELTA = { key: false };
const KEY = { key: true };

/** What libvpx wrote at the beginning of a key frame of 640x480. */
const KEY_HEADER = Uint8Array.of(0x82, 0x49, 0x83, 0x42, 0x00, 0x27, 0xf0, 0x1d, 0xf6, 0x12, 0x38, 0x24);

/** Bits as bytes, the last one filled up with zeros. */
function fromBits(...bits: string[]): Uint8Array {
  const text = bits.join('');
  return Uint8Array.from(text.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

const SYNC = (0x498342).toString(2).padStart(24, '0');
const SIZE = (1279).toString(2).padStart(16, '0') + (719).toString(2).padStart(16, '0');

/** Hexadecimal digits: quick to compare and to print where a property shrinks a large frame. */
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('Vp9Packetizer', () => {
  it('carries every frame through any packet size, and never exceeds it', () => {
    const media = fc.uint8Array({ minLength: 1, maxLength: 2000, size: 'max' });
    fc.assert(
      fc.property(media, fc.boolean(), fc.integer({ min: 21, max: 500 }), (bytes, key, maxPayloadBytes) => {
        const data = key ? Uint8Array.of(...KEY_HEADER, ...bytes) : bytes;
        const payloads = new Vp9Packetizer(fixedRandom(7)).packetize(data, { key }, maxPayloadBytes);
        expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
        expect(payloads).toHaveLength(Math.ceil((data.length + (key ? 8 : 0)) / (maxPayloadBytes - 3)));
        const { frame, interPredicted, size } = depacketizeVp9(payloads);
        expect(hex(frame)).toBe(hex(data));
        expect(interPredicted).toBe(!key);
        expect(size).toEqual(key ? { width: 640, height: 480 } : undefined);
      }),
    );
  });

  it('writes I and P, B on the first and E on the last packet of a delta frame', () => {
    const payloads = new Vp9Packetizer(fixedRandom(0x5abc)).packetize(Uint8Array.of(0x86, 2, 3, 4), DELTA, 5);
    expect(payloads).toEqual([Uint8Array.of(0xc8, 0xda, 0xbc, 0x86, 2), Uint8Array.of(0xc4, 0xda, 0xbc, 3, 4)]);
    const [whole] = new Vp9Packetizer(fixedRandom(1)).packetize(Uint8Array.of(0x86), DELTA, 1200);
    expect(whole).toEqual(Uint8Array.of(0xcc, 0x80, 0x01, 0x86));
  });

  it('writes V and the structure into the first packet of a key frame, and into no other', () => {
    const frame = Uint8Array.of(...KEY_HEADER, ...new Uint8Array(10).fill(0xee));
    const [first, second] = new Vp9Packetizer(fixedRandom(1)).packetize(frame, KEY, 18);
    expect(hex(first ?? new Uint8Array())).toBe('8a8001' + '18028001e0010401' + '82498342002' + '7f0');
    expect(hex(second ?? new Uint8Array())).toBe(`848001${'1df6123824'}${'ee'.repeat(10)}`);
  });

  it('counts the picture id up by one a frame and wraps at 15 bits', () => {
    const packetizer = new Vp9Packetizer(fixedRandom(0xffff_fffe));
    const ids = [1, 2, 3].map(() => depacketizeVp9(packetizer.packetize(new Uint8Array(3000), DELTA, 1200)).pictureId);
    expect(ids).toEqual([0x7ffe, 0x7fff, 0]);
  });

  describe('of a stream with temporal layers', () => {
    it('tells TID and U, and names the last picture of layer 0 as the only reference, over the wrap of picture ids too', () => {
      const packetizer = new Vp9Packetizer(fixedRandom(0x7ffe));
      const told = [0, 2, 1, 2, 0, 2, 0].map((temporalLayerId, index) => {
        const data = Uint8Array.of(...KEY_HEADER, ...new Uint8Array(3000));
        return depacketizeVp9(packetizer.packetize(data, { key: index === 0, temporalLayerId }, 1200));
      });
      expect(told.map(({ pictureId }) => pictureId)).toEqual([0x7ffe, 0x7fff, 0, 1, 2, 3, 4]);
      expect(told.map(({ layer }) => [layer?.temporalLayerId, layer?.distance])).toEqual([
        [0, undefined],
        [2, 1],
        [1, 2],
        [2, 3],
        [0, 4],
        [2, 1],
        [0, 2],
      ]);
      expect(told.every(({ layer }) => layer?.switchingUpPoint)).toBe(true);
      expect(told.map(({ size }) => size)).toEqual([{ width: 640, height: 480 }, ...new Array(6).fill(undefined)]);
    });

    it('carries every frame through any packet size', () => {
      const media = fc.uint8Array({ minLength: 1, maxLength: 2000, size: 'max' });
      fc.assert(
        fc.property(media, fc.boolean(), fc.integer({ min: 21, max: 500 }), (bytes, key, maxPayloadBytes) => {
          const data = Uint8Array.of(...KEY_HEADER, ...bytes);
          const info = { key, temporalLayerId: key ? 0 : 1 };
          const payloads = new Vp9Packetizer(fixedRandom(7)).packetize(data, info, maxPayloadBytes);
          expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
          expect(hex(depacketizeVp9(payloads).frame)).toBe(hex(data));
        }),
      );
    });
  });

  it('copies: the frame may be overwritten once packetize has returned', () => {
    const data = Uint8Array.from({ length: 3000 }, (_, index) => KEY_HEADER[index] ?? index & 0xff);
    const expected = hex(data);
    const payloads = new Vp9Packetizer(fixedRandom(0)).packetize(data, KEY, 1200);
    data.fill(0xee);
    expect(hex(depacketizeVp9(payloads).frame)).toBe(expected);
  });

  it('refuses what it cannot carry, and spends no picture id on it', () => {
    const packetizer = new Vp9Packetizer(fixedRandom(5));
    const invalidFrame = expect.objectContaining({ code: 'INVALID_FRAME' });
    const noRoom = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => packetizer.packetize(new Uint8Array(0), DELTA, 1200)).toThrow(invalidFrame);
    expect(() => packetizer.packetize(Uint8Array.of(0x86, 0, 0), KEY, 1200)).toThrow(invalidFrame);
    expect(() => packetizer.packetize(new Uint8Array(1), DELTA, 3)).toThrow(noRoom);
    expect(() => packetizer.packetize(KEY_HEADER, KEY, 11)).toThrow(noRoom);
    expect(depacketizeVp9(packetizer.packetize(new Uint8Array(1), DELTA, 1200)).pictureId).toBe(5);
  });
});

describe('readVp9KeyFrame', () => {
  it.each([
    ['of profile 0', ['10', '00', '0', '0', '10', SYNC, '010', '0', SIZE]],
    ['of profile 1, with subsampling', ['10', '10', '0', '0', '10', SYNC, '010', '0', '000', SIZE]],
    ['of profile 1 in RGB', ['10', '10', '0', '0', '10', SYNC, '111', '0', SIZE]],
    ['of profile 2, with a bit depth', ['10', '01', '0', '0', '10', SYNC, '1', '010', '0', SIZE]],
    ['of profile 3, with both', ['10', '11', '0', '0', '0', '10', SYNC, '1', '010', '0', '000', SIZE]],
  ])('reads the size of a key frame %s', (_name, bits) => {
    expect(readVp9KeyFrame(fromBits(...bits))).toEqual({ width: 1280, height: 720 });
  });

  it.each([
    ['a delta frame', fromBits('10', '00', '0', '1', '10', SYNC, '010', '0', SIZE)],
    ['a shown existing frame', fromBits('10', '00', '1', '0', '10', SYNC, '010', '0', SIZE)],
    ['another frame marker', fromBits('01', '00', '0', '0', '10', SYNC, '010', '0', SIZE)],
    ['a wrong sync code', fromBits('10', '00', '0', '0', '10', SYNC.replace('1', '0'), '010', '0', SIZE)],
    ['a header that is cut off', KEY_HEADER.subarray(0, 8)],
    ['nothing', new Uint8Array(0)],
  ])('finds no key frame in %s', (_name, bytes) => {
    expect(readVp9KeyFrame(bytes)).toBeUndefined();
  });
});
