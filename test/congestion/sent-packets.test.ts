import { describe, expect, it } from 'vitest';
import { SentPackets } from '../../src/congestion/sent-packets.js';

const MS = 1_000;

/** Sends packets of 1000 bytes, one each 10 ms if not said otherwise. */
function send(sent: SentPackets, first: number, count: number, startUs = 0, gapUs = 10 * MS): void {
  for (let index = 0; index < count; index += 1) sent.sent((first + index) & 0xffff, 1_000, startUs + index * gapUs);
}

function message(baseSequence: number, arrivalsMs: readonly (number | undefined)[], referenceTicks = 100) {
  const arrivalsUs = arrivalsMs.map((each) => (each === undefined ? undefined : each * MS));
  return { baseSequence, referenceTicks, feedbackCount: 0, arrivalsUs };
}

describe('SentPackets', () => {
  it('joins arrivals with what was sent, on the clock of the receiver', () => {
    const sent = new SentPackets();
    sent.sent(7, 1_200, 5_000, 3);
    send(sent, 8, 1, 6_000);
    expect(sent.inFlightBytes).toBe(2_200);
    expect(sent.feedback(message(7, [20, undefined]), 90_000)).toEqual({
      atUs: 90_000,
      clockJumped: false,
      inFlightBytes: 0,
      packets: [
        // 100 ticks of 64 ms, and 20 ms.
        {
          sequence: 7,
          sentAtUs: 5_000,
          sizeBytes: 1_200,
          probeId: 3,
          receivedAtUs: 6_420_000,
          wasReportedLost: false,
          priorUnreportedBytes: 0,
        },
        { sequence: 8, sentAtUs: 6_000, sizeBytes: 1_000, wasReportedLost: false, priorUnreportedBytes: 0 },
      ],
    });
  });

  it('counts sequence numbers on through the wrap', () => {
    const sent = new SentPackets();
    send(sent, 65_534, 4);
    const { packets = [] } = sent.feedback(message(65_534, [1, 2, 3, 4]), 90_000) ?? {};
    expect(packets.map(({ sequence }) => sequence)).toEqual([65_534, 65_535, 65_536, 65_537]);
    expect(sent.inFlightBytes).toBe(0);
  });

  it('counts the reference time on through the wrap of 24 bits', () => {
    const sent = new SentPackets();
    send(sent, 0, 2);
    const first = sent.feedback(message(0, [0], 0xffffff), 100 * MS)?.packets[0]?.receivedAtUs ?? 0;
    const report = sent.feedback(message(1, [0], 0), 164 * MS);
    expect(report?.clockJumped).toBe(false);
    expect((report?.packets[0]?.receivedAtUs ?? 0) - first).toBe(64 * MS);
  });

  it('tells of each packet once: a duplicate teaches nothing', () => {
    const sent = new SentPackets();
    send(sent, 0, 3);
    sent.feedback(message(0, [1, undefined, 3]), 90_000);
    expect(sent.feedback(message(0, [1, undefined, 3]), 91_000)?.packets ?? []).toEqual([]);
  });

  it('tells of a packet that came after all, as one that was reported lost', () => {
    const sent = new SentPackets();
    send(sent, 0, 2);
    sent.feedback(message(0, [undefined, 3]), 90_000);
    const { packets = [] } = sent.feedback(message(0, [40]), 150_000) ?? {};
    expect(packets).toMatchObject([{ sequence: 0, wasReportedLost: true, receivedAtUs: 6_440_000 }]);
  });

  it('tells nothing of packets that were never sent', () => {
    const sent = new SentPackets();
    expect(sent.feedback(message(0, [1]), 0)).toBeUndefined();
    send(sent, 0, 2);
    expect(sent.feedback(message(2, [1, 2, 3]), 90_000)).toBeUndefined();
    expect(sent.feedback(message(1, [1, 2, 3]), 90_000)?.packets).toHaveLength(1);
  });

  it('is not misled by packets from the future: what is sent later is news all the same', () => {
    const sent = new SentPackets();
    send(sent, 0, 2);
    sent.feedback(
      message(
        0,
        Array.from({ length: 30_000 }, () => 1),
      ),
      90_000,
    );
    send(sent, 2, 2, 100 * MS);
    // Packet 2 is passed over: its bytes are counted with the one after it.
    expect(sent.feedback(message(3, [60]), 190_000)?.packets[0]?.priorUnreportedBytes).toBe(1_000);
  });

  it('counts the bytes that a lost feedback would have told of with the next packet that arrived', () => {
    const sent = new SentPackets();
    send(sent, 0, 6);
    sent.feedback(message(0, [1, 2]), 90_000);
    const { packets = [], inFlightBytes } = sent.feedback(message(4, [undefined, 5]), 140_000) ?? {};
    expect(packets.map((each) => each.priorUnreportedBytes)).toEqual([0, 2_000]);
    expect(inFlightBytes).toBe(0);
  });

  it('takes nothing as in flight that was sent too long ago', () => {
    const sent = new SentPackets();
    send(sent, 0, 5);
    sent.landBefore(30 * MS);
    expect(sent.inFlightBytes).toBe(2_000);
    sent.landBefore(30 * MS);
    expect(sent.inFlightBytes).toBe(2_000);
    // It may be reported all the same, and is not counted twice.
    expect(sent.feedback(message(0, [1, 2, 3, 4, 5]), 900_000)?.inFlightBytes).toBe(0);
  });

  it('says so when the clock of the receiver was set anew, and goes on from there', () => {
    const sent = new SentPackets();
    send(sent, 0, 3);
    sent.feedback(message(0, [1], 1_000), 60 * MS);
    expect(sent.feedback(message(1, [1], 10), 124 * MS)?.clockJumped).toBe(true);
    expect(sent.feedback(message(2, [1], 11), 188 * MS)?.clockJumped).toBe(false);
  });

  it('takes a pause of minutes for no jump', () => {
    const sent = new SentPackets();
    send(sent, 0, 1);
    sent.feedback(message(0, [1], 1_000), 60 * MS);
    send(sent, 1, 1, 320_000 * MS);
    // 5,000 ticks are 320 s.
    expect(sent.feedback(message(1, [1], 6_000), 320_060 * MS)?.clockJumped).toBe(false);
  });

  it('keeps its clock when a message is overtaken', () => {
    const sent = new SentPackets();
    send(sent, 0, 3);
    sent.feedback(message(2, [1], 1_002), 188 * MS);
    const { packets: [late] = [], clockJumped } = sent.feedback(message(0, [1], 1_000), 190 * MS) ?? {};
    expect([late?.receivedAtUs, clockJumped]).toEqual([64_001 * MS, false]);
  });

  it('ignores a message from minutes ago, rather than taking it for a new clock', () => {
    const sent = new SentPackets();
    send(sent, 0, 2);
    sent.feedback(message(0, [undefined, 3], 1_000), 60 * MS);
    expect(sent.feedback(message(0, [undefined, 3], 1_000), 30_060 * MS)).toBeUndefined();
    send(sent, 2, 1, 30_100 * MS);
    // 470 ticks are 30.08 s.
    expect(sent.feedback(message(2, [1], 1_470), 30_160 * MS)?.clockJumped).toBe(false);
  });

  it('refuses arrivals that are further apart than any receiver waits', () => {
    const sent = new SentPackets();
    send(sent, 0, 2);
    expect(sent.feedback(message(0, [1, 10_000]), 60 * MS)).toBeUndefined();
    expect(sent.feedback(message(0, [-10_000, 1]), 60 * MS)).toBeUndefined();
    expect(sent.inFlightBytes).toBe(2_000);
  });

  it('remembers packets for a minute, and 16,384 of them', () => {
    const old = new SentPackets();
    send(old, 0, 1);
    send(old, 1, 1, 60_000 * MS);
    expect(old.inFlightBytes).toBe(1_000);
    expect(old.feedback(message(0, [1]), 60_001 * MS)).toBeUndefined();
    const many = new SentPackets();
    send(many, 0, 16_385, 0, MS);
    expect(many.inFlightBytes).toBe(16_384_000);
    expect(many.feedback(message(0, [1]), 16_500 * MS)).toBeUndefined();
    expect(many.feedback(message(1, [1]), 16_500 * MS)?.packets).toHaveLength(1);
  });

  it('expects nothing of the former route after a reset', () => {
    const sent = new SentPackets();
    send(sent, 0, 3);
    sent.reset();
    expect(sent.inFlightBytes).toBe(0);
    expect(sent.feedback(message(0, [1, 2, 3]), 90_000)).toBeUndefined();
    send(sent, 3, 1, 100 * MS);
    expect(sent.feedback(message(3, [1], 5), 160_000)).toMatchObject({ clockJumped: false, inFlightBytes: 0 });
  });
});
