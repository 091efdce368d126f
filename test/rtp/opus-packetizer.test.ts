import { describe, expect, it } from 'vitest';
import { OpusPacketizer } from '../../src/rtp/opus-packetizer.js';

const KEY = { key: true };

describe('OpusPacketizer', () => {
  it('makes one payload of each packet, a copy of the same bytes', () => {
    const frame = Uint8Array.of(0x78, 1, 2, 3);
    const payloads = new OpusPacketizer().packetize(frame, KEY, 4);
    frame.fill(0xdd);
    expect(payloads).toEqual([Uint8Array.of(0x78, 1, 2, 3)]);
  });

  it.each([
    ['an empty packet', new Uint8Array(0)],
    ['a packet that is one byte too large, which cannot be cut', new Uint8Array(1161)],
  ])('refuses %s', (_, frame) => {
    expect(() => new OpusPacketizer().packetize(frame, KEY, 1160)).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME' }),
    );
  });
});
