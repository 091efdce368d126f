import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVp8PayloadDescriptor, Vp8RtpPayload } from 'werift';
import { Vp8Packetizer } from '../../src/rtp/vp8-packetizer.js';
import { depacketizeVp8 } from '../support/depacketize.js';
import { fixedRandom } from '../support/fixed-random.js';

const DELTA = { key: false };
const frame = fc.uint8Array({ minLength: 1, maxLength: 2000, size: 'max' });

/** Hexadecimal digits: quick to compare and to print where a property shrinks a large frame. */
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('Vp8Packetizer', () => {
  it('carries every frame through any packet size, and never exceeds it', () => {
    fc.assert(
      fc.property(frame, fc.integer({ min: 5, max: 500 }), (data, maxPayloadBytes) => {
        const payloads = new Vp8Packetizer(fixedRandom(7)).packetize(data, DELTA, maxPayloadBytes);
        expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
        expect(payloads).toHaveLength(Math.ceil(data.length / (maxPayloadBytes - 4)));
        expect(hex(depacketizeVp8(payloads).frame)).toBe(hex(data));
      }),
    );
  });

  it('is read by werift to the same frame', () => {
    fc.assert(
      fc.property(frame, fc.integer({ min: 50, max: 500 }), (data, maxPayloadBytes) => {
        const payloads = new Vp8Packetizer(fixedRandom(0x1234)).packetize(data, DELTA, maxPayloadBytes);
        const read = payloads.map((payload) => Vp8RtpPayload.deSerialize(Buffer.from(payload)));
        expect(hex(Buffer.concat(read.map(({ payload }) => payload)))).toBe(hex(data));
        expect(read.map(({ isPartitionHead }) => isPartitionHead)).toEqual(payloads.map((_, index) => index === 0));
        expect(new Set(read.map(({ pictureId }) => pictureId))).toEqual(new Set([0x1234]));
      }),
      { numRuns: 50 },
    );
  });

  it('writes the descriptor X=1, S=1 on the first packet, I=1, M=1, as werift does', () => {
    const [first, second] = new Vp8Packetizer(fixedRandom(0x5abc)).packetize(Uint8Array.of(1, 2, 3), DELTA, 6);
    expect(first).toEqual(Uint8Array.of(0x90, 0x80, 0xda, 0xbc, 1));
    expect(second).toEqual(Uint8Array.of(0x80, 0x80, 0xda, 0xbc, 2, 3));
    expect(first?.slice(0, 4)).toEqual(new Uint8Array(createVp8PayloadDescriptor({ start: true, pictureId: 0x5abc })));
  });

  it('counts the picture id up by one a frame and wraps at 15 bits', () => {
    const packetizer = new Vp8Packetizer(fixedRandom(0xffff_fffe));
    const ids = [1, 2, 3].map(() => depacketizeVp8(packetizer.packetize(new Uint8Array(3000), DELTA, 1200)).pictureId);
    expect(ids).toEqual([0x7ffe, 0x7fff, 0]);
  });

  it('copies: the frame may be overwritten once packetize has returned', () => {
    const data = Uint8Array.from({ length: 3000 }, (_, index) => index & 0xff);
    const expected = data.slice();
    const payloads = new Vp8Packetizer(fixedRandom(0)).packetize(data, DELTA, 1200);
    data.fill(0xee);
    expect(depacketizeVp8(payloads).frame).toEqual(expected);
  });

  it('refuses an empty frame and a packet without room, and spends no picture id on them', () => {
    const packetizer = new Vp8Packetizer(fixedRandom(5));
    expect(() => packetizer.packetize(new Uint8Array(0), DELTA, 1200)).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME' }),
    );
    expect(() => packetizer.packetize(new Uint8Array(1), DELTA, 4)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(depacketizeVp8(packetizer.packetize(new Uint8Array(1), DELTA, 1200)).pictureId).toBe(5);
  });
});
