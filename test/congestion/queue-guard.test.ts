import { describe, expect, it } from 'vitest';
import { QueueGuard, type QueueInput, type QueueVerdict } from '../../src/congestion/queue-guard.js';

/** 40 % of what arrived before are sent, and what was sent is reported at once. */
const INPUT = { receiveBps: 1_000_000, targetBps: 2_000_000, sendBps: 400_000, sentUntilUs: 0 };

function judge(guard: QueueGuard, queueUs: number, nowUs: number, input: Partial<QueueInput> = {}): QueueVerdict {
  return guard.judge({ ...INPUT, queueUs, nowUs, sentUntilUs: nowUs, ...input });
}

/** The guard while a queue of 100 ms stands, once every 50 ms. */
function engagedFor(durationUs: number, input: Partial<QueueInput> = {}): QueueGuard {
  const guard = new QueueGuard();
  for (let nowUs = 0; nowUs <= durationUs; nowUs += 50_000) judge(guard, 100_000, nowUs, input);
  return guard;
}

/** The guard after 500 ms, when it has left such a queue to others. */
function competing(): QueueGuard {
  const guard = engagedFor(450_000);
  judge(guard, 110_000, 500_000);
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
    const input = { ...INPUT, targetBps: 600_000, queueUs: 40_000, nowUs: 0 };
    expect(new QueueGuard().judge(input).targetBps).toBe(600_000);
  });

  it('goes by what arrived while the queue was long: at its end that is what was sent', () => {
    const guard = new QueueGuard();
    judge(guard, 60_000, 0);
    const { capBps, targetBps } = guard.judge({ ...INPUT, receiveBps: 500_000, queueUs: 20_000, nowUs: 50_000 });
    // A tenth less than 1 Mbit/s, which arrived before.
    expect(capBps).toBeCloseTo(900_000, 6);
    expect(targetBps).toBeCloseTo(950_000, 6);
  });

  it('goes on until the queue is shorter than 10 ms', () => {
    const guard = new QueueGuard();
    judge(guard, 60_000, 0);
    expect(judge(guard, 10_000, 50_000).capBps).toBeLessThan(1_000_000);
    expect(judge(guard, 9_999, 100_000).capBps).toBe(Number.POSITIVE_INFINITY);
    expect(judge(guard, 20_000, 150_000).capBps).toBe(Number.POSITIVE_INFINITY);
  });

  it('leaves a queue to others that packets of 400 ms have met since the cut, and aims at what was aimed at before', () => {
    const guard = engagedFor(450_000, { targetBps: 1_200_000 });
    expect(guard.isCompeting).toBe(false);
    expect(judge(guard, 105_001, 500_000, { targetBps: 950_000 })).toEqual({
      capBps: Number.POSITIVE_INFINITY,
      targetBps: 1_200_000,
    });
    expect(guard.isCompeting).toBe(true);
    expect(judge(guard, 300_000, 550_000).capBps).toBe(Number.POSITIVE_INFINITY);
  });

  it('aims at 1.5 times what arrived at the most then, whatever was aimed at before', () => {
    const guard = engagedFor(450_000, { targetBps: 9_000_000 });
    expect(judge(guard, 110_000, 500_000).targetBps).toBe(1_500_000);
  });

  it('takes a queue that stays within 5 ms for another 600 ms for a longer way, and aims at what was aimed at before', () => {
    const guard = engagedFor(450_000, { targetBps: 1_200_000 });
    for (let nowUs = 500_000; nowUs <= 1_000_000; nowUs += 50_000)
      expect(judge(guard, 100_000 + (nowUs % 100_000) / 10, nowUs).capBps).toBeLessThan(1_000_000);
    expect(judge(guard, 100_000, 1_050_000)).toEqual({
      capBps: Number.POSITIVE_INFINITY,
      targetBps: 1_200_000,
      isLongerWay: true,
    });
    expect(guard.isCompeting).toBe(false);
  });

  it('takes a deep queue for its own while what arrives was sent before the cut, however late', () => {
    const guard = engagedFor(0);
    for (let nowUs = 50_000; nowUs <= 3_000_000; nowUs += 50_000)
      judge(guard, 100_000 + nowUs / 2, nowUs, { sentUntilUs: 0 });
    expect(guard.isCompeting).toBe(false);
  });

  it('takes a queue for its own while too little less is sent than got through for it to fall', () => {
    expect(engagedFor(3_000_000, { sendBps: 1_000_000 }).isCompeting).toBe(false);
    // A tenth less for 250 ms lets a queue of 100 ms fall by 25: not twice the 15 that were to be seen.
    const guard = engagedFor(250_000, { sendBps: 900_000 });
    judge(guard, 100_000, 410_000, { sendBps: 1_000_000 });
    judge(guard, 110_000, 420_000, { sendBps: 1_000_000 });
    expect(guard.isCompeting).toBe(false);
    const longer = engagedFor(450_000, { sendBps: 900_000 });
    judge(longer, 110_000, 500_000, { sendBps: 900_000 });
    expect(longer.isCompeting).toBe(true);
  });

  it('goes by what got through before the cut: what arrives afterwards is what was sent', () => {
    const guard = engagedFor(0);
    for (let nowUs = 50_000; nowUs <= 600_000; nowUs += 50_000)
      judge(guard, 100_000 + nowUs / 10, nowUs, { receiveBps: 400_000 });
    expect(guard.isCompeting).toBe(true);
  });

  it('goes on with a queue that falls to 85 % of its peak in that time', () => {
    const guard = engagedFor(350_000);
    judge(guard, 84_000, 380_000);
    judge(guard, 84_000, 1_300_000);
    expect(guard.isCompeting).toBe(false);
  });

  it('takes the queue up again once it has been gone for 3 s', () => {
    const guard = competing();
    judge(guard, 100_000, 1_000_000);
    judge(guard, 5_000, 4_000_000);
    expect(guard.isCompeting).toBe(true);
    judge(guard, 5_000, 4_000_001);
    expect(guard.isCompeting).toBe(false);
    expect(judge(guard, 60_000, 4_050_000).capBps).toBeLessThan(1_000_000);
  });

  it('takes it up again after 30 s in any case: it may have been its own', () => {
    const guard = competing();
    for (let nowUs = 550_000; nowUs < 30_500_000; nowUs += 50_000) judge(guard, 100_000, nowUs);
    expect(guard.isCompeting).toBe(true);
    expect(judge(guard, 100_000, 30_500_000).capBps).toBeLessThan(1_000_000);
  });

  it('forgets others at a reset', () => {
    const guard = competing();
    guard.reset();
    expect(guard.isCompeting).toBe(false);
  });
});
