import { describe, expect, it } from 'vitest';
import { QueueGuard } from '../../src/congestion/queue-guard.js';

const INPUT = { receiveBps: 1_000_000, targetBps: 2_000_000 };

/** The guard while a queue of 100 ms stands, once every 50 ms. */
function engagedFor(durationUs: number, fromUs = 0): QueueGuard {
  const guard = new QueueGuard();
  for (let nowUs = fromUs; nowUs <= fromUs + durationUs; nowUs += 50_000)
    guard.judge({ ...INPUT, queueUs: 100_000, nowUs });
  return guard;
}

describe('QueueGuard', () => {
  it('leaves a queue of 30 ms alone', () => {
    expect(new QueueGuard().judge({ ...INPUT, queueUs: 30_000, nowUs: 0 })).toEqual({
      capBps: Number.POSITIVE_INFINITY,
    });
  });

  it('leaves any queue alone while it is not known what arrives', () => {
    const input = { ...INPUT, receiveBps: undefined, queueUs: 200_000, nowUs: 0 };
    expect(new QueueGuard().judge(input).capBps).toBe(Number.POSITIVE_INFINITY);
  });

  it('sends less than arrives by what drains the queue within 200 ms, and aims at 95 % of it from then on', () => {
    const { capBps, targetBps } = new QueueGuard().judge({ ...INPUT, queueUs: 40_000, nowUs: 0 });
    // 40 of 200 ms are a fifth.
    expect(capBps).toBeCloseTo(800_000, 6);
    expect(targetBps).toBeCloseTo(950_000, 6);
  });

  it('sends at least 40 % of what arrives, however long the queue', () => {
    expect(new QueueGuard().judge({ ...INPUT, queueUs: 2_000_000, nowUs: 0 }).capBps).toBeCloseTo(400_000, 6);
  });

  it('does not aim higher than before', () => {
    const input = { receiveBps: 1_000_000, targetBps: 600_000, queueUs: 40_000, nowUs: 0 };
    expect(new QueueGuard().judge(input).targetBps).toBe(600_000);
  });

  it('goes by what arrived while the queue was long: at its end that is what was sent', () => {
    const guard = new QueueGuard();
    guard.judge({ ...INPUT, queueUs: 60_000, nowUs: 0 });
    const { capBps, targetBps } = guard.judge({ ...INPUT, receiveBps: 500_000, queueUs: 20_000, nowUs: 50_000 });
    // A tenth less than 1 Mbit/s, which arrived before.
    expect(capBps).toBeCloseTo(900_000, 6);
    expect(targetBps).toBeCloseTo(950_000, 6);
  });

  it('goes on until the queue is shorter than 10 ms', () => {
    const guard = new QueueGuard();
    guard.judge({ ...INPUT, queueUs: 60_000, nowUs: 0 });
    expect(guard.judge({ ...INPUT, queueUs: 10_000, nowUs: 50_000 }).capBps).toBeLessThan(1_000_000);
    expect(guard.judge({ ...INPUT, queueUs: 9_999, nowUs: 100_000 }).capBps).toBe(Number.POSITIVE_INFINITY);
    expect(guard.judge({ ...INPUT, queueUs: 20_000, nowUs: 150_000 }).capBps).toBe(Number.POSITIVE_INFINITY);
  });

  it('leaves a queue to others that has not fallen for 700 ms, and aims at what was aimed at before', () => {
    const guard = engagedFor(700_000);
    expect(guard.isCompeting).toBe(false);
    expect(guard.judge({ ...INPUT, targetBps: 950_000, queueUs: 100_000, nowUs: 750_000 })).toEqual({
      capBps: Number.POSITIVE_INFINITY,
      targetBps: 2_000_000,
    });
    expect(guard.isCompeting).toBe(true);
    expect(guard.judge({ ...INPUT, queueUs: 300_000, nowUs: 800_000 }).capBps).toBe(Number.POSITIVE_INFINITY);
  });

  it('goes on with a queue that falls to 85 % of its peak in that time', () => {
    const guard = engagedFor(650_000);
    guard.judge({ ...INPUT, queueUs: 84_000, nowUs: 680_000 });
    guard.judge({ ...INPUT, queueUs: 84_000, nowUs: 1_300_000 });
    expect(guard.isCompeting).toBe(false);
  });

  it('takes the queue up again once it has been gone for 3 s', () => {
    const guard = engagedFor(750_000);
    guard.judge({ ...INPUT, queueUs: 100_000, nowUs: 1_000_000 });
    guard.judge({ ...INPUT, queueUs: 5_000, nowUs: 4_000_000 });
    expect(guard.isCompeting).toBe(true);
    guard.judge({ ...INPUT, queueUs: 5_000, nowUs: 4_000_001 });
    expect(guard.isCompeting).toBe(false);
    expect(guard.judge({ ...INPUT, queueUs: 60_000, nowUs: 4_050_000 }).capBps).toBeLessThan(1_000_000);
  });

  it('takes it up again after 30 s in any case: it may have been its own', () => {
    const guard = engagedFor(750_000);
    for (let nowUs = 800_000; nowUs < 30_750_000; nowUs += 50_000) guard.judge({ ...INPUT, queueUs: 100_000, nowUs });
    expect(guard.isCompeting).toBe(true);
    expect(guard.judge({ ...INPUT, queueUs: 100_000, nowUs: 30_750_000 }).capBps).toBeLessThan(1_000_000);
  });

  it('forgets others at a reset', () => {
    const guard = engagedFor(750_000);
    guard.reset();
    expect(guard.isCompeting).toBe(false);
  });
});
