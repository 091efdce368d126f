import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LossBasedEstimator } from '../../src/congestion/loss-based-estimator.js';
import { lost, received } from './packet-results.js';

/** A sender that follows the estimate, 20 feedbacks a second, over a link that may lose packets by itself and has a capacity. */
class Flow {
  readonly estimator = new LossBasedEstimator();
  bps: number;
  #sequence = 0;
  #nowUs = 0;
  #owed = 0;

  constructor(startBps: number) {
    this.bps = startBps;
  }

  run(seconds: number, delayBasedBps: number, lossAt: (bps: number) => number): number {
    for (const endUs = this.#nowUs + seconds * 1_000_000; this.#nowUs < endUs; ) {
      const count = Math.max(1, Math.round((this.bps * 0.05) / 8 / 1_200));
      const share = lossAt(this.bps);
      let arrived = 0;
      const packets = Array.from({ length: count }, (_, index) => {
        const sentAtUs = this.#nowUs + (index * 50_000) / count;
        this.#sequence += 1;
        // Spread evenly, so that a share is what it says.
        this.#owed += share;
        if (this.#owed < 1) {
          arrived += 1;
          return received(this.#sequence, sentAtUs, 50_000);
        }
        this.#owed -= 1;
        return lost(this.#sequence, sentAtUs);
      });
      this.#nowUs += 50_000;
      const ackedBps = (arrived * 1_200 * 8) / 0.05;
      this.bps = this.estimator.update({ packets, delayBasedBps, ackedBps, nowUs: this.#nowUs });
    }
    return this.bps;
  }
}

describe('LossBasedEstimator', () => {
  it('keeps to the delay-based estimate while nothing is lost', () => {
    expect(new Flow(2_000_000).run(10, 2_000_000, () => 0)).toBe(2_000_000);
  });

  it('does not mind a loss of 1 % that does not depend on the rate', () => {
    expect(new Flow(2_000_000).run(20, 2_000_000, () => 0.01)).toBeGreaterThan(1_900_000);
  });

  it('falls to about the capacity where what is beyond it is lost', () => {
    const beyond = (bps: number) => Math.max(0, (bps - 1_000_000) / bps);
    const flow = new Flow(2_000_000);
    const bps = flow.run(20, 2_000_000, beyond);
    expect(bps).toBeGreaterThan(700_000);
    expect(bps).toBeLessThan(1_300_000);
  });

  it('comes back to the delay-based estimate when losses end', () => {
    const flow = new Flow(2_000_000);
    flow.run(10, 2_000_000, (bps) => Math.max(0, (bps - 1_000_000) / bps));
    expect(flow.run(20, 2_000_000, () => 0)).toBe(2_000_000);
  });

  it('sends no more than 130 kbit/s over what is lost beyond 5 %, at once, however good the explanation', () => {
    // 20 % lost: 130 / 0.15. Candidates alone would take steps of a fifth.
    expect(new Flow(10_000_000).run(1.5, 10_000_000, () => 0.2)).toBeLessThanOrEqual(130_000 / 0.15 + 10_000);
  });

  it('goes by less than three observations for nothing', () => {
    expect(new Flow(2_000_000).run(0.5, 2_000_000, () => 0.04)).toBe(2_000_000);
  });

  it('begins anew after a reset', () => {
    const flow = new Flow(2_000_000);
    flow.run(10, 2_000_000, () => 0.3);
    expect(flow.estimator.averageLoss).toBeGreaterThan(0.2);
    flow.estimator.reset();
    expect(flow.estimator.averageLoss).toBe(0);
    expect(
      flow.estimator.update({ packets: [], delayBasedBps: 3_000_000, ackedBps: undefined, nowUs: 20_000_000 }),
    ).toBe(3_000_000);
  });

  it('is finite, above 0 and no more than the delay-based estimate, whatever is lost', () => {
    const packet = fc.record({
      gapUs: fc.nat(400_000),
      isLost: fc.boolean(),
      late: fc.boolean(),
      sizeBytes: fc.integer({ min: 1, max: 1_500 }),
    });
    const step = fc.record({
      packets: fc.array(packet, { maxLength: 10 }),
      delayBasedBps: fc.integer({ min: 50_000, max: 100_000_000 }),
      ackedBps: fc.option(fc.integer({ min: 0, max: 200_000_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const estimator = new LossBasedEstimator();
        let nowUs = 0;
        let sequence = 0;
        for (const { packets, delayBasedBps, ackedBps } of steps) {
          const results = packets.map(({ gapUs, isLost, late, sizeBytes }) => {
            nowUs += gapUs;
            sequence += 1;
            if (isLost) return { ...lost(sequence, nowUs), sizeBytes };
            return received(sequence - (late ? 5 : 0), nowUs, 50_000, { wasReportedLost: late, sizeBytes });
          });
          const bps = estimator.update({ packets: results, delayBasedBps, ackedBps, nowUs });
          expect(bps).toBeGreaterThanOrEqual(0);
          expect(bps).toBeLessThanOrEqual(delayBasedBps);
        }
      }),
    );
  });
});
