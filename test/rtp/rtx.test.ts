import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RTX_HEADER_BYTES, readOriginalSequence, writeRtxPayload } from '../../src/rtp/rtx.js';

describe('the payload of a retransmission', () => {
  it('is the original one behind its sequence number, in network order', () => {
    expect(writeRtxPayload(0x1234, Uint8Array.of(9, 8, 7))).toEqual(Uint8Array.of(0x12, 0x34, 9, 8, 7));
  });

  it('gives back number and payload, whatever they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), fc.uint8Array(), (sequence, payload) => {
        const written = writeRtxPayload(sequence, payload);
        expect(readOriginalSequence(written)).toBe(sequence);
        expect(written.subarray(RTX_HEADER_BYTES)).toEqual(payload);
      }),
    );
  });

  it('repeats nothing if it is too short for a number', () => {
    expect(readOriginalSequence(new Uint8Array(0))).toBeUndefined();
    expect(readOriginalSequence(Uint8Array.of(1))).toBeUndefined();
    expect(readOriginalSequence(Uint8Array.of(0, 0))).toBe(0);
  });
});
