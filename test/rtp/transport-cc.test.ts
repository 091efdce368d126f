import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportFeedback } from '../../src/loopback/media/transport-feedback.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { parseTransportFeedback } from '../../src/rtp/transport-cc.js';

/** Base sequence number, status count, reference time (3 bytes), feedback count; then chunks and deltas. */
function fci(base: number, count: number, rest: readonly number[], reference = 1, feedbackCount = 0): Uint8Array {
  const bytes = [base >> 8, base & 0xff, count >> 8, count & 0xff];
  bytes.push((reference >> 16) & 0xff, (reference >> 8) & 0xff, reference & 0xff, feedbackCount, ...rest);
  return Uint8Array.from(bytes);
}

function parsedMessages(feedback: TransportFeedback) {
  return feedback.take(2).map((message) => {
    const [packet] = parseRtcp(message).packets;
    if (packet?.kind !== 'transport-cc') throw new Error('the writer made something else');
    const parsed = parseTransportFeedback(packet.fci);
    if (parsed === undefined) throw new Error('the writer made something malformed');
    return parsed;
  });
}

describe('parseTransportFeedback', () => {
  it('reads back what the loopback SFU writes, to its 250 us, over losses, gaps and wraps', () => {
    const arrivals = fc.array(
      fc.record({ skip: fc.integer({ min: 1, max: 40 }), gapUs: fc.integer({ min: 0, max: 3_000_000 }) }),
      { minLength: 1, maxLength: 60 },
    );
    // Up to the end of 24 bits of 64 ms.
    const starts = fc.record({ sequence: fc.nat(0xffff), atUs: fc.nat((2 ** 24 - 1) * 64_000) });
    fc.assert(
      fc.property(starts, arrivals, ({ sequence: first, atUs: start }, steps) => {
        const feedback = new TransportFeedback(1);
        const sent = new Map<number, number>();
        let sequence = first;
        let atUs = start;
        for (const { skip, gapUs } of steps) {
          sequence = (sequence + skip) & 0xffff;
          atUs += gapUs;
          feedback.packet(sequence, atUs);
          sent.set(sequence, atUs);
        }
        for (const { baseSequence, referenceTicks, arrivalsUs } of parsedMessages(feedback)) {
          for (const [index, arrivalUs] of arrivalsUs.entries()) {
            const each = (baseSequence + index) & 0xffff;
            const expected = sent.get(each);
            expect(arrivalUs === undefined).toBe(expected === undefined);
            if (arrivalUs === undefined || expected === undefined) continue;
            const wrapped = expected % (2 ** 24 * 64_000);
            const distance = Math.abs(referenceTicks * 64_000 + arrivalUs - wrapped);
            expect(Math.min(distance, 2 ** 24 * 64_000 - distance)).toBeLessThanOrEqual(250);
            sent.delete(each);
          }
        }
        expect(sent.size).toBe(0);
      }),
    );
  });

  it('reads runs of one symbol, the last one longer than the rest of the packets', () => {
    // Two received with small deltas, three missing, one with a large delta (run of 4, of which one is meant).
    const message = fci(65_534, 6, [0x20, 0x02, 0x00, 0x03, 0x40, 0x04, 4, 8, 0xff, 0xf6], 0xfffffe, 7);
    expect(parseTransportFeedback(message)).toEqual({
      baseSequence: 65_534,
      referenceTicks: 0xfffffe,
      feedbackCount: 7,
      // 4, 12 and 12 - 10 ticks of 250 us.
      arrivalsUs: [1_000, 3_000, undefined, undefined, undefined, 500],
    });
  });

  it('reads vectors of fourteen one-bit symbols, the first one highest', () => {
    // 10 1010 0000 0001 of one bit each: the first, third and last have arrived.
    const message = fci(10, 14, [0x80 | 0x28, 0x01, 1, 1, 1]);
    const { arrivalsUs } = parseTransportFeedback(message) ?? { arrivalsUs: [] };
    expect(arrivalsUs.map((each) => each !== undefined)).toEqual([...'10100000000001'].map((bit) => bit === '1'));
    expect(arrivalsUs.at(-1)).toBe(750);
  });

  it('reads vectors of seven two-bit symbols, and a run after one', () => {
    // small, none, large, none, small, none, none; then a run of two small ones.
    const message = fci(0, 9, [0xc0 | 0b010010, 0b00010000, 0x20, 0x02, 2, 0x01, 0x00, 3, 1, 1]);
    expect(parseTransportFeedback(message)?.arrivalsUs).toEqual([
      500,
      undefined,
      64_500,
      undefined,
      65_250,
      undefined,
      undefined,
      65_500,
      65_750,
    ]);
  });

  it('ignores bytes after the last delta, as padding that nobody announced', () => {
    const message = fci(0, 1, [0x20, 0x01, 4]);
    expect(parseTransportFeedback(Uint8Array.from([...message, 0, 0, 0]))).toEqual(parseTransportFeedback(message));
  });

  it('reads a message that lies in the middle of a buffer', () => {
    const message = fci(5, 1, [0x20, 0x01, 4]);
    const around = Uint8Array.from([9, 9, 9, ...message, 9, 9]);
    expect(parseTransportFeedback(around.subarray(3, 3 + message.length))?.baseSequence).toBe(5);
  });

  it('refuses every truncation of a message', () => {
    const message = fci(0, 9, [0xc0 | 0b010010, 0b00010000, 0x20, 0x02, 2, 0x01, 0x00, 3, 1, 1]);
    for (let length = 0; length < message.length; length += 1) {
      expect(parseTransportFeedback(message.subarray(0, length))).toBeUndefined();
    }
  });

  it('refuses a message of no packets', () => {
    expect(parseTransportFeedback(fci(0, 0, [0x20, 0x01, 4]))).toBeUndefined();
  });

  it.each([
    ['run', [0x60, 0x01, 4]],
    ['vector', [0xc0 | 0b110000, 0, 4]],
  ])('refuses the reserved symbol in a %s', (_, rest) => {
    expect(parseTransportFeedback(fci(0, 1, rest))).toBeUndefined();
  });

  it('accepts the reserved symbol beyond the last packet, which means nothing', () => {
    expect(parseTransportFeedback(fci(0, 1, [0xc0 | 0b011100, 0, 4]))?.arrivalsUs).toEqual([1_000]);
  });

  it('ends on runs of no packets', () => {
    expect(parseTransportFeedback(fci(0, 1, [0x20, 0x00, 0x20, 0x00, 0x20, 0x00]))).toBeUndefined();
    expect(parseTransportFeedback(fci(0, 1, [0x20, 0x00, 0x20, 0x01, 4]))?.arrivalsUs).toEqual([1_000]);
  });

  it('tells of as many packets as it says, in finite times, or nothing, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const parsed = parseTransportFeedback(bytes);
        if (parsed === undefined) return;
        expect(parsed.arrivalsUs).toHaveLength(((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
        expect(parsed.arrivalsUs.every((each) => each === undefined || Number.isFinite(each))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
