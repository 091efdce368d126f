import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LossDetection, type PacketFate, REORDERING_US, STREAM_ENDED_US } from '../../src/congestion/loss-detection.js';
import type { FeedbackReport, PacketResult } from '../../src/congestion/sent-packets.js';

const MS = 1_000;
/** Between packets. */
const STEP_US = 10 * MS;

/** Packets 0 to count - 1, `STEP_US` apart, of these streams by turns; without any they are sent again. */
function sent(count: number, ...ssrcs: readonly number[]): LossDetection<number> {
  const losses = new LossDetection<number>();
  for (let sequence = 0; sequence < count; sequence += 1) {
    const ssrc = ssrcs[sequence % ssrcs.length];
    losses.sent({ sequence, sentAtUs: sequence * STEP_US, subject: sequence, ssrc });
  }
  return losses;
}

function report(packets: readonly { readonly sequence: number; readonly lost?: boolean }[]): FeedbackReport {
  const results = packets.map(
    ({ sequence, lost = false }): PacketResult => ({
      sequence,
      sentAtUs: sequence * STEP_US,
      sizeBytes: 100,
      priorUnreportedBytes: 0,
      wasReportedLost: false,
      ...(lost ? {} : { receivedAtUs: sequence * STEP_US }),
    }),
  );
  return { atUs: 0, packets: results, clockJumped: false, inFlightBytes: 0 };
}

function fates(losses: LossDetection<number>, ...packets: Parameters<typeof report>[0]): [number, PacketFate][] {
  return losses.reported(report(packets)).map(({ subject, fate }) => [subject, fate]);
}

describe('a packet that was sent again and that the receiver has not got', () => {
  it('is lost once one has arrived that was sent 20 ms later, and not before', () => {
    expect(REORDERING_US).toBe(2 * STEP_US);
    const losses = sent(5);
    expect(fates(losses, { sequence: 0 }, { sequence: 1, lost: true }, { sequence: 2 })).toEqual([
      [0, 'arrived'],
      [2, 'arrived'],
    ]);
    expect(fates(losses, { sequence: 3 })).toEqual([
      [3, 'arrived'],
      [1, 'lost'],
    ]);
  });

  it('is told of once, and again when it comes after all', () => {
    const losses = sent(8);
    expect(fates(losses, { sequence: 0, lost: true }, { sequence: 4 })).toContainEqual([0, 'lost']);
    expect(fates(losses, { sequence: 5 })).not.toContainEqual([0, 'lost']);
    expect(fates(losses, { sequence: 0 })).toContainEqual([0, 'arrived']);
    expect(fates(losses, { sequence: 0 })).toEqual([]);
  });

  it('is not lost for having been overtaken by what was sent with it', () => {
    const losses = sent(3);
    fates(losses, { sequence: 1, lost: true }, { sequence: 2 });
    expect(fates(losses, { sequence: 1 })).toEqual([[1, 'arrived']]);
  });
});

describe('a packet that was sent for the first time and that the receiver has not got', () => {
  it('is lost once the receiver has noticed that by one packet, and asked by one that was sent 20 ms later', () => {
    const losses = sent(8, 1);
    fates(
      losses,
      { sequence: 0, lost: true },
      { sequence: 1, lost: true },
      { sequence: 2, lost: true },
      { sequence: 3 },
    );
    expect(fates(losses, { sequence: 4 })).toEqual([[4, 'arrived']]);
    expect(fates(losses, { sequence: 5 })).toEqual([
      [5, 'arrived'],
      [0, 'lost'],
      [1, 'lost'],
      [2, 'lost'],
    ]);
  });

  it('is noticed by packets of its own stream, and not by repetitions', () => {
    const losses = sent(10, 1, 2);
    expect(
      fates(losses, { sequence: 0, lost: true }, { sequence: 1 }, { sequence: 3 }, { sequence: 9 }),
    ).not.toContainEqual([0, 'lost']);
    fates(losses, { sequence: 2 });
    expect(fates(losses, { sequence: 4 })).toContainEqual([0, 'lost']);
    const repeated = new LossDetection<number>();
    repeated.sent({ sequence: 0, sentAtUs: 0, subject: 0, ssrc: 1 });
    for (let sequence = 1; sequence < 9; sequence += 1) {
      repeated.sent({ sequence, sentAtUs: sequence * STEP_US, subject: sequence });
    }
    expect(fates(repeated, { sequence: 0, lost: true }, { sequence: 1 }, { sequence: 8 })).not.toContainEqual([
      0,
      'lost',
    ]);
  });

  it('is lost after 300 ms where its stream has ended', () => {
    const count = STREAM_ENDED_US / STEP_US + 1;
    const losses = new LossDetection<number>();
    losses.sent({ sequence: 0, sentAtUs: 0, subject: 0, ssrc: 1 });
    for (let sequence = 1; sequence <= count; sequence += 1) {
      losses.sent({ sequence, sentAtUs: sequence * STEP_US, subject: sequence, ssrc: 2 });
    }
    fates(losses, { sequence: 0, lost: true }, { sequence: 1 });
    expect(fates(losses, { sequence: count - 2 })).not.toContainEqual([0, 'lost']);
    expect(fates(losses, { sequence: count - 1 })).toContainEqual([0, 'lost']);
  });
});

describe('a packet of which the receiver says nothing', () => {
  it('is known to be unreported, and lost as soon as that is said', () => {
    const losses = sent(6);
    expect(fates(losses, { sequence: 3 })).toEqual([
      [3, 'arrived'],
      [0, 'unreported'],
      [1, 'unreported'],
    ]);
    expect(fates(losses, { sequence: 0, lost: true }, { sequence: 4 })).toEqual([
      [4, 'arrived'],
      [0, 'lost'],
      [2, 'unreported'],
    ]);
  });

  it('is not judged while nothing that was sent later has arrived', () => {
    expect(fates(sent(6), { sequence: 4, lost: true }, { sequence: 5, lost: true })).toEqual([]);
  });

  it('is of no interest after 2 s, nor beyond 2048 packets', () => {
    const old = new LossDetection<string>();
    old.sent({ sequence: 0, sentAtUs: 0, subject: 'old' });
    old.sent({ sequence: 1, sentAtUs: 2_000 * MS, subject: 'new' });
    old.sent({ sequence: 2, sentAtUs: 2_100 * MS, subject: 'newer' });
    const arrived = { ...report([{ sequence: 2 }]).packets[0], sentAtUs: 2_100 * MS } as PacketResult;
    const told = old.reported({ ...report([]), packets: [arrived] }).map(({ subject }) => subject);
    expect(told).toEqual(['newer', 'new']);
    const many = new LossDetection<number>();
    for (let sequence = 0; sequence < 3_000; sequence += 1) many.sent({ sequence, sentAtUs: 0, subject: sequence });
    const last = { ...report([{ sequence: 2_999 }]).packets[0], sentAtUs: 1_000 * MS } as PacketResult;
    expect(many.reported({ ...report([]), packets: [last] })).toHaveLength(2_048);
  });
});

it('tells of each packet at most once that it is lost and once that it has arrived, whatever comes in whatever order', () => {
  const told = fc.array(fc.array(fc.record({ sequence: fc.nat(29), lost: fc.boolean() }), { maxLength: 8 }));
  fc.assert(
    fc.property(told, fc.subarray([1, 2, 3]), (messages, ssrcs) => {
      const losses = sent(30, ...ssrcs);
      const all = messages.flatMap((packets) =>
        fates(losses, ...packets).map(([subject, fate]) => `${subject} ${fate}`),
      );
      expect(new Set(all).size).toBe(all.length);
      const arrived = new Set(messages.flat().flatMap(({ sequence, lost }) => (lost ? [] : [sequence])));
      expect(all.filter((entry) => entry.endsWith('arrived'))).toHaveLength(arrived.size);
    }),
  );
});
