import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEY_FRAME_INTERVAL_MS, KeyFrameGate } from '../../src/loopback/media/key-frame-gate.js';
import type { ReceivedRtp } from '../../src/loopback/media/media-link.js';
import { CACHE_PACKETS, PacketCache } from '../../src/loopback/media/packet-cache.js';
import { ReceptionStatistics } from '../../src/loopback/media/reception-statistics.js';
import { StreamRewriter } from '../../src/loopback/media/stream-rewriter.js';
import { TransportFeedback } from '../../src/loopback/media/transport-feedback.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { VirtualClock } from '../support/virtual-clock.js';

function packet(sequenceNumber: number): ReceivedRtp {
  return {
    ssrc: 1,
    payloadType: 96,
    sequenceNumber,
    timestamp: 0,
    marker: false,
    extensions: [],
    payload: Buffer.alloc(0),
  };
}

describe('StreamRewriter', () => {
  it('starts at the given number, keeps gaps and reordering, and wraps', () => {
    const rewriter = new StreamRewriter(65_534);
    const source = {};
    const rewritten = [10, 11, 14, 12].map((sequence) => rewriter.rewrite(source, sequence, 0, 0).sequenceNumber);
    expect(rewritten).toEqual([65_534, 65_535, 2, 0]);
  });

  it('goes on without a gap, and with the time that passed, when the source changes', () => {
    const rewriter = new StreamRewriter(100);
    const before = rewriter.rewrite({}, 7, 1_000, 0);
    const after = rewriter.rewrite({}, 40_000, 4_294_967_000, 1_000_000);
    expect(before).toEqual({ sequenceNumber: 100, timestamp: 1_000 });
    expect(after).toEqual({ sequenceNumber: 101, timestamp: 91_000 });
  });

  it('goes on after the highest number when the last packet was a late one', () => {
    const rewriter = new StreamRewriter(100);
    const first = {};
    for (const sequence of [1, 3, 2]) rewriter.rewrite(first, sequence, 0, 0);
    expect(rewriter.rewrite({}, 500, 0, 1000).sequenceNumber).toBe(103);
  });

  it('finds the original number of what it sent, for the present source only', () => {
    const past = {};
    const present = {};
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), (start, sequence) => {
        const rewriter = new StreamRewriter(start);
        rewriter.rewrite(past, 1, 0, 0);
        const { sequenceNumber } = rewriter.rewrite(present, sequence, 0, 0);
        expect(rewriter.originalSequence(present, sequenceNumber)).toBe(sequence);
        expect(rewriter.originalSequence(past, sequenceNumber)).toBeUndefined();
        expect(rewriter.originalSequence(present, start)).toBeUndefined();
      }),
    );
  });

  it('goes on without a gap after an interruption of the same source, and finds nothing of before it', () => {
    const rewriter = new StreamRewriter(100);
    const source = {};
    rewriter.rewrite(source, 7, 0, 0);
    rewriter.interrupt();
    expect(rewriter.originalSequence(source, 100)).toBeUndefined();
    expect(rewriter.rewrite(source, 40_007, 9_000_000, 1_000_000)).toEqual({ sequenceNumber: 101, timestamp: 90_000 });
    expect(rewriter.originalSequence(source, 101)).toBe(40_007);
    expect(rewriter.originalSequence(source, 100)).toBeUndefined();
  });

  it('finds original numbers however long ago the source joined', () => {
    const rewriter = new StreamRewriter(0);
    const source = {};
    for (let sequence = 0; sequence < 40_000; sequence += 1) rewriter.rewrite(source, sequence, 0, 0);
    expect(rewriter.originalSequence(source, 39_900)).toBe(39_900);
  });
});

describe('PacketCache', () => {
  it('gives what it holds, and nothing that was overwritten', () => {
    const cache = new PacketCache();
    for (let sequence = 0; sequence <= CACHE_PACKETS; sequence += 1) cache.put(packet(sequence));
    expect(cache.get(0)).toBeUndefined();
    expect(cache.get(1)?.sequenceNumber).toBe(1);
    expect(cache.get(CACHE_PACKETS)?.sequenceNumber).toBe(CACHE_PACKETS);
    expect(cache.get(CACHE_PACKETS + 1)).toBeUndefined();
  });
});

describe('KeyFrameGate', () => {
  function gateWithClock() {
    const clock = new VirtualClock();
    const sentAtMs: number[] = [];
    const startUs = clock.nowUs();
    const gate = new KeyFrameGate(clock, () => sentAtMs.push((clock.nowUs() - startUs) / 1000));
    return { clock, gate, sentAtMs };
  }

  it('passes the first request at once and makes one of all that follow within the interval', async () => {
    const { clock, gate, sentAtMs } = gateWithClock();
    gate.request();
    gate.request();
    await clock.advance(100);
    gate.request();
    await clock.advance(5_000);
    expect(sentAtMs).toEqual([0, KEY_FRAME_INTERVAL_MS]);
  });

  it('sends nothing by itself after a single request', async () => {
    const { clock, gate, sentAtMs } = gateWithClock();
    gate.request();
    await clock.advance(5_000);
    gate.request();
    expect(sentAtMs).toEqual([0, 5_000]);
  });

  it('sends nothing after close, and leaves no timer', async () => {
    const { clock, gate, sentAtMs } = gateWithClock();
    gate.request();
    gate.request();
    gate.close();
    gate.request();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(5_000);
    expect(sentAtMs).toEqual([0]);
  });
});

describe('ReceptionStatistics', () => {
  it('counts losses over wraps and reports the fraction since the last report', () => {
    const statistics = new ReceptionStatistics();
    for (const sequence of [65_533, 65_534, 1, 2]) statistics.packet(sequence, 0, 100, 0);
    expect(statistics.packetsLost).toBe(2);
    expect(statistics.bytesReceived).toBe(400);
    // 2 of 6.
    expect(statistics.report(9, 0)).toMatchObject({
      ssrc: 9,
      fractionLost: 85,
      cumulativeLost: 2,
      highestSequence: 65_538,
    });
    statistics.packet(3, 0, 100, 0);
    expect(statistics.report(9, 0)).toMatchObject({ fractionLost: 0, cumulativeLost: 2 });
  });

  it('tells how far the highest number moved', () => {
    const statistics = new ReceptionStatistics();
    expect([5, 6, 9, 7, 10].map((sequence) => statistics.packet(sequence, 0, 0, 0))).toEqual([1, 1, 3, 0, 1]);
  });

  it('has no jitter for evenly spaced packets and some for others', () => {
    const even = new ReceptionStatistics();
    const uneven = new ReceptionStatistics();
    for (let index = 0; index < 20; index += 1) {
      even.packet(index, index * 3_000, 0, Math.round((index * 100_000) / 3));
      uneven.packet(index, index * 3_000, 0, Math.round((index * 100_000) / 3) + (index % 2) * 10_000);
    }
    expect(even.report(1, 0)?.jitter).toBeLessThanOrEqual(1);
    expect(uneven.report(1, 0)?.jitter).toBeGreaterThan(300);
  });

  it('echoes the last sender report and the time since', () => {
    const statistics = new ReceptionStatistics();
    statistics.packet(1, 0, 0, 0);
    expect(statistics.report(1, 0)).toMatchObject({ lastSenderReport: 0, delaySinceLastSenderReport: 0 });
    const ntp = { seconds: 0x1111_2222, fraction: 0x3333_4444 };
    statistics.senderReport(
      { kind: 'sender-report', ssrc: 1, ntp, rtpTimestamp: 0, packetCount: 0, octetCount: 0, reports: [] },
      1_000_000,
    );
    expect(statistics.report(1, 1_500_000)).toMatchObject({
      lastSenderReport: 0x2222_3333,
      delaySinceLastSenderReport: 32_768,
    });
  });

  it('reports nothing before the first packet', () => {
    expect(new ReceptionStatistics().report(1, 0)).toBeUndefined();
  });
});

/** An independent reader of what TransportFeedback writes: arrival in microseconds by sequence number. */
function readFeedback(message: Uint8Array): { arrivals: Map<number, number>; count: number; statuses: number } {
  const [parsed] = parseRtcp(message).packets;
  if (parsed?.kind !== 'transport-cc') throw new Error('not transport-cc');
  const view = new DataView(parsed.fci.buffer, parsed.fci.byteOffset, parsed.fci.length);
  const base = view.getUint16(0);
  const statuses = view.getUint16(2);
  let atTicks = (view.getUint32(4) >>> 8) * 256;
  const symbols: number[] = [];
  let at = 8;
  for (; symbols.length < statuses; at += 2) {
    const chunk = view.getUint16(at);
    expect(chunk >>> 14).toBe(3);
    for (let shift = 12; shift >= 0; shift -= 2) symbols.push((chunk >>> shift) & 3);
  }
  const arrivals = new Map<number, number>();
  for (const [index, symbol] of symbols.slice(0, statuses).entries()) {
    if (symbol === 0) continue;
    atTicks += symbol === 1 ? view.getUint8(at) : view.getInt16(at);
    at += symbol;
    arrivals.set((base + index) & 0xffff, atTicks * 250);
  }
  expect(at).toBe(parsed.fci.length);
  return { arrivals, count: view.getUint32(4) & 0xff, statuses };
}

describe('TransportFeedback', () => {
  it('writes nothing when nothing arrived', () => {
    expect(new TransportFeedback(1).take(2)).toEqual([]);
  });

  it('tells of what is missing between two messages, as of what is missing within one', () => {
    const feedback = new TransportFeedback(1);
    feedback.packet(65_534, 0);
    feedback.take(2);
    feedback.packet(3, 20_000);
    const [message] = feedback.take(2);
    const { arrivals, statuses } = readFeedback(message ?? new Uint8Array());
    expect([...arrivals.keys()]).toEqual([3]);
    // 65,535, 0, 1 and 2 are missing.
    expect(statuses).toBe(5);
  });

  it('passes over more that is missing than a message can tell of', () => {
    const feedback = new TransportFeedback(1);
    feedback.packet(0, 0);
    feedback.take(2);
    feedback.packet(513, 20_000);
    expect(readFeedback(feedback.take(2)[0] ?? new Uint8Array()).statuses).toBe(1);
  });

  it('tells every arrival to 250 us, in any order, with losses, over wraps and pauses', () => {
    const arrival = fc.record({ step: fc.integer({ min: -3, max: 400 }), gapUs: fc.nat(20_000_000) });
    fc.assert(
      fc.property(fc.nat(0xffff), fc.array(arrival, { minLength: 1, maxLength: 60 }), (start, steps) => {
        const feedback = new TransportFeedback(1);
        const expected = new Map<number, number>();
        let sequence = start + 10;
        let nowUs = 5_000_000;
        for (const { step, gapUs } of steps) {
          sequence += step;
          nowUs += gapUs;
          const wrapped = sequence & 0xffff;
          feedback.packet(wrapped, nowUs);
          if (!expected.has(wrapped)) expected.set(wrapped, nowUs);
        }
        const told = new Map<number, number>();
        for (const message of feedback.take(2))
          for (const [key, atUs] of readFeedback(message).arrivals) told.set(key, atUs);
        expect([...told.keys()].sort()).toEqual([...expected.keys()].sort());
        for (const [key, atUs] of expected) expect(Math.abs((told.get(key) ?? 0) - atUs)).toBeLessThanOrEqual(125);
      }),
    );
  });

  it('numbers its messages and begins anew after each take', () => {
    const feedback = new TransportFeedback(1);
    feedback.packet(1, 0);
    const [first] = feedback.take(2).map(readFeedback);
    feedback.packet(2, 1_000);
    const [second] = feedback.take(2).map(readFeedback);
    expect([first?.count, second?.count]).toEqual([0, 1]);
    expect([...(second?.arrivals.keys() ?? [])]).toEqual([2]);
  });
});
