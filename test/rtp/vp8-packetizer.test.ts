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

  describe('of a stream with temporal layers', () => {
    const layered = (packetizer: Vp8Packetizer, temporalLayerId: number, key = false) =>
      packetizer.packetize(new Uint8Array(3000), { key, temporalLayerId }, 1200);

    it('tells TID, N and Y with TL0PICIDX, which goes up with each frame of layer 0 and wraps', () => {
      const packetizer = new Vp8Packetizer(fixedRandom(0xfd));
      const told = [0, 2, 1, 2, 0, 2, 0].map((layer, index) => depacketizeVp8(layered(packetizer, layer, index === 0)));
      expect(told.map(({ pictureId }) => pictureId)).toEqual([0xfd, 0xfe, 0xff, 0x100, 0x101, 0x102, 0x103]);
      const upper = (baseIndex: number, temporalLayerId: number) => ({
        nonReference: true,
        baseIndex,
        temporalLayerId,
        sync: true,
      });
      const base = (baseIndex: number) => ({ nonReference: false, baseIndex, temporalLayerId: 0, sync: false });
      expect(told.map(({ layer }) => layer)).toEqual([
        base(0xfe),
        upper(0xfe, 2),
        upper(0xfe, 1),
        upper(0xfe, 2),
        base(0xff),
        upper(0xff, 2),
        base(0),
      ]);
    });

    it('is read by werift to the same frame, and whether anything refers to it', () => {
      fc.assert(
        fc.property(
          frame,
          fc.integer({ min: 50, max: 500 }),
          fc.integer({ min: 0, max: 2 }),
          (data, maxPayloadBytes, temporalLayerId) => {
            const packetizer = new Vp8Packetizer(fixedRandom(0x1234));
            const payloads = packetizer.packetize(data, { key: false, temporalLayerId }, maxPayloadBytes);
            expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
            const read = payloads.map((payload) => Vp8RtpPayload.deSerialize(Buffer.from(payload)));
            expect(hex(Buffer.concat(read.map(({ payload }) => payload)))).toBe(hex(data));
            expect(new Set(read.map(({ nBit }) => nBit))).toEqual(new Set([temporalLayerId > 0 ? 1 : 0]));
          },
        ),
        { numRuns: 50 },
      );
    });

    it('writes X=1 and N=1, I, L and T, the picture id, TL0PICIDX, and TID with Y', () => {
      const packetizer = new Vp8Packetizer(fixedRandom(0x5abc));
      const [first, second] = packetizer.packetize(Uint8Array.of(1, 2, 3), { key: false, temporalLayerId: 2 }, 8);
      expect(first).toEqual(Uint8Array.of(0xb0, 0xe0, 0xda, 0xbc, 0xbc, 0xa0, 1));
      expect(second).toEqual(Uint8Array.of(0xa0, 0xe0, 0xda, 0xbc, 0xbc, 0xa0, 2, 3));
    });

    it('spends no TL0PICIDX on a frame that is refused', () => {
      const packetizer = new Vp8Packetizer(fixedRandom(5));
      expect(() => packetizer.packetize(new Uint8Array(1), { key: true, temporalLayerId: 0 }, 6)).toThrow();
      expect(depacketizeVp8(layered(packetizer, 0, true)).layer?.baseIndex).toBe(6);
    });
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
