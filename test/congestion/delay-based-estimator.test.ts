import { describe, expect, it } from 'vitest';
import { DelayBasedEstimator } from '../../src/congestion/delay-based-estimator.js';
import { type Received, received } from './packet-results.js';

const bounds = { startBps: 1_000_000, minBps: 50_000, maxBps: 10_000_000 };

/** A flow of one packet each 10 ms, of which feedback tells every 100 ms. */
class Feedback {
  readonly estimator = new DelayBasedEstimator(bounds);
  #sequence = 0;
  #delayUs = 50_000;
  nowUs = 0;

  /** Each packet waits so much longer than the one before; what it led to, 10 times a second. */
  run(
    seconds: number,
    laterUs: number,
    more: Partial<Parameters<DelayBasedEstimator['update']>[0]> = {},
  ): readonly number[] {
    return Array.from({ length: Math.round(seconds * 10) }, () => {
      const packets: readonly Received[] = Array.from({ length: 10 }, () => {
        this.#sequence += 1;
        this.#delayUs += laterUs;
        return received(this.#sequence, this.#sequence * 10_000, this.#delayUs);
      });
      this.nowUs = this.#sequence * 10_000 + 100_000;
      const unknown = { ackedBps: 1_000_000, isCompeting: false, lossShare: 0, probedBps: undefined };
      this.estimator.update({ ...unknown, packets, nowUs: this.nowUs, ...more });
      return this.estimator.targetBps;
    });
  }
}

describe('DelayBasedEstimator', () => {
  it('grows while delays are steady', () => {
    expect(new Feedback().run(2, 0).at(-1)).toBeGreaterThan(1_140_000);
  });

  it('falls below what arrives while delays grow', () => {
    const feedback = new Feedback();
    feedback.run(2, 0);
    expect(Math.min(...feedback.run(1, 2_000))).toBeLessThanOrEqual(920_000);
    expect(feedback.estimator.usage).toBe('overusing');
  });

  it('halves itself once in a round trip where it is not known what arrives', () => {
    const feedback = new Feedback();
    feedback.run(1, 0);
    feedback.estimator.rttUs = 200_000;
    const targets = feedback.run(1, 3_000, { ackedBps: undefined });
    const falls = targets.filter((each, index) => index > 0 && each < (targets[index - 1] ?? 0) * 0.51);
    expect(falls.length).toBeGreaterThanOrEqual(2);
    expect(falls.length).toBeLessThanOrEqual(4);
  });

  it('takes over a probe that found more, and none that found less', () => {
    const feedback = new Feedback();
    feedback.run(1, 0);
    expect(feedback.run(0.1, 0, { probedBps: 3_000_000 })).toEqual([3_000_000]);
    expect(feedback.run(0.1, 0, { probedBps: 500_000 })[0]).toBeGreaterThanOrEqual(3_000_000);
  });

  it('takes over no probe while the link is overused', () => {
    const feedback = new Feedback();
    feedback.run(1, 0);
    feedback.run(1, 2_000);
    expect(feedback.run(0.1, 2_000, { probedBps: 5_000_000 })[0]).toBeLessThan(1_000_000);
  });

  it('does not give way to delay beside others, but to more than 10 % of loss, and holds above 5 %', () => {
    const beside = (lossShare: number): readonly number[] => {
      const feedback = new Feedback();
      feedback.run(1, 0);
      return feedback.run(2, 2_000, { isCompeting: true, lossShare });
    };
    const grown = beside(0.05);
    expect(grown.at(-1)).toBeGreaterThan(1_200_000);
    const held = beside(0.1);
    expect(new Set(held).size).toBe(1);
    expect(Math.min(...beside(0.101))).toBeLessThanOrEqual(920_000);
  });

  it('forgets delays: those of another clock are no overuse', () => {
    const feedback = new Feedback();
    feedback.run(1, 0);
    feedback.run(0.5, 2_000);
    feedback.estimator.resetDelays();
    expect(feedback.estimator.usage).toBe('normal');
  });
});
