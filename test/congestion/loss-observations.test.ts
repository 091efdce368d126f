import { describe, expect, it } from 'vitest';
import { LossObservations } from '../../src/congestion/loss-observations.js';
import { lost, received } from './packet-results.js';

/** One packet of 1200 bytes each 10 ms; those that `isLost` names are lost. */
function observe(
  observations: LossObservations,
  count: number,
  isLost: (index: number) => boolean,
  first = 0,
): boolean {
  return observations.add(
    Array.from({ length: count }, (_, index) => {
      const sequence = first + index;
      return isLost(sequence) ? lost(sequence, sequence * 10_000) : received(sequence, sequence * 10_000, 50_000);
    }),
  );
}

describe('LossObservations', () => {
  it('completes an observation with the packet that was sent 250 ms after the first', () => {
    const observations = new LossObservations();
    expect(observe(observations, 25, () => false)).toBe(false);
    expect(observations.all).toEqual([]);
    expect(observe(observations, 1, () => false, 25)).toBe(true);
    // 26 packets in 250 ms.
    expect(observations.all).toEqual([{ packets: 26, lost: 0, sendingBps: (26 * 1_200 * 8) / 0.25, weight: 1 }]);
  });

  it('counts the lost ones, and weighs by age: nine tenths for each newer observation', () => {
    const observations = new LossObservations();
    observe(observations, 26 + 25, (sequence) => sequence < 13);
    expect(observations.all.map((each) => [each.packets, each.lost, each.weight])).toEqual([
      [26, 13, 0.9],
      [25, 0, 1],
    ]);
    expect(observations.averageLoss).toBeCloseTo((0.9 * 13) / (0.9 * 26 + 25), 9);
  });

  it('keeps fifteen', () => {
    const observations = new LossObservations();
    observe(observations, 1_000, () => false);
    expect(observations.all).toHaveLength(15);
  });

  it('takes back a loss that came after all, from the observation that has it', () => {
    const observations = new LossObservations();
    // Packet 3 in a complete observation, packet 30 in the one under way.
    observe(observations, 40, (sequence) => sequence === 3 || sequence === 30);
    const late = (sequence: number) => received(sequence, sequence * 10_000, 400_000, { wasReportedLost: true });
    expect(observations.add([late(3)])).toBe(false);
    expect(observations.all[0]).toMatchObject({ packets: 26, lost: 0 });
    observe(observations, 20, () => false, 40);
    expect(observations.all[1]).toMatchObject({ packets: 25, lost: 1 });
    observations.add([late(30)]);
    expect(observations.averageLoss).toBe(0);
  });

  it('is 0 before there is any observation and after a reset', () => {
    const observations = new LossObservations();
    expect(observations.averageLoss).toBe(0);
    observe(observations, 60, (sequence) => sequence % 2 === 0);
    expect(observations.averageLoss).toBeCloseTo(0.5, 1);
    observations.reset();
    expect(observations.averageLoss).toBe(0);
  });

  it('leaves out what was lost while nothing arrived for 200 ms, and what it had begun before', () => {
    const observations = new LossObservations();
    observe(observations, 200, (sequence) => sequence >= 60 && sequence <= 80);
    expect(observations.averageLoss).toBe(0);
    expect(observations.all.reduce((sum, { packets }) => sum + packets, 0)).toBeLessThanOrEqual(200 - 21);
    // An observation over the gap would take the rate of sending for less than it was.
    for (const { sendingBps } of observations.all) expect(sendingBps).toBeGreaterThan(900_000);
    // What follows is observed as ever.
    observe(observations, 100, (sequence) => sequence % 10 === 0, 200);
    expect(observations.averageLoss).toBeGreaterThan(0.02);
  });

  it('counts what was lost in a row for less than that, or fewer than eight', () => {
    const short = new LossObservations();
    observe(short, 200, (sequence) => sequence >= 60 && sequence < 80);
    expect(short.all.reduce((sum, { lost }) => sum + lost, 0)).toBe(20);
    const few = new LossObservations();
    few.add(
      Array.from({ length: 40 }, (_, index) => {
        const sentAtUs = index * 50_000;
        return index >= 10 && index < 17 ? lost(index, sentAtUs) : received(index, sentAtUs, 50_000);
      }),
    );
    expect(few.all.reduce((sum, each) => sum + each.lost, 0)).toBe(7);
  });

  it('knows an outage that several messages tell of, however long, and one that a late packet ends', () => {
    const observations = new LossObservations();
    observe(observations, 30, () => false);
    for (let first = 30; first < 3_000; first += 30) observe(observations, 30, () => true, first);
    observations.add([received(2_999, 29_990_000, 400_000, { wasReportedLost: true })]);
    observe(observations, 60, () => false, 3_000);
    expect(observations.averageLoss).toBe(0);
  });

  it('forgets at a reset what was lost in a row before', () => {
    const observations = new LossObservations();
    observe(observations, 15, () => true);
    observations.reset();
    observe(observations, 60, (sequence) => sequence < 40, 20);
    observe(observations, 30, () => false, 80);
    expect(observations.all.map((each) => each.lost)).toContain(20);
  });

  it('survives packets out of order', () => {
    const observations = new LossObservations();
    observe(observations, 30, () => false, 100);
    expect(observations.add([received(5, 50_000, 50_000)])).toBe(false);
    observe(observations, 30, () => false, 130);
    expect(observations.all.every(({ sendingBps }) => sendingBps > 0 && Number.isFinite(sendingBps))).toBe(true);
  });
});
