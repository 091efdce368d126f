import { describe, expect, it } from 'vitest';
import { TrendlineEstimator } from '../../src/congestion/trendline-estimator.js';

const GAP_US = 20_000;

/** Groups 20 ms apart, each later than the one before by so much more. */
class Groups {
  readonly trendline = new TrendlineEstimator();
  #receivedAtUs = 0;

  add(count: number, laterUs: number): string {
    for (let index = 0; index < count; index += 1) {
      this.#receivedAtUs += GAP_US + laterUs;
      this.trendline.update({ sentUs: GAP_US, receivedUs: GAP_US + laterUs }, this.#receivedAtUs);
    }
    return this.trendline.usage;
  }

  /** How many such groups until that is noticed. */
  until(usage: string, laterUs: number): number {
    for (let count = 1; count <= 300; count += 1) if (this.add(1, laterUs) === usage) return count;
    return Number.POSITIVE_INFINITY;
  }
}

describe('TrendlineEstimator', () => {
  it('calls steady delays normal', () => {
    expect(new Groups().add(200, 0)).toBe('normal');
  });

  it('says nothing before it has twenty groups', () => {
    expect(new Groups().add(19, 5_000)).toBe('normal');
  });

  it('calls delays that grow by a tenth overuse, within thirty groups', () => {
    expect(new Groups().until('overusing', 2_000)).toBeLessThan(30);
  });

  it('calls delays that shrink underuse', () => {
    const groups = new Groups();
    groups.add(60, 0);
    expect(groups.until('underusing', -2_000)).toBeLessThanOrEqual(20);
  });

  it('is back to normal when the queue stays as long as it is', () => {
    const groups = new Groups();
    expect(groups.until('overusing', 2_000)).toBeLessThan(30);
    expect(groups.until('normal', 0)).toBeLessThanOrEqual(60);
  });

  it('does not call it overuse when the trend exceeds the threshold but falls', () => {
    const groups = new Groups();
    groups.add(60, 0);
    // A single jump of 40 ms: the slope rises for ten groups and falls from then on.
    groups.add(1, 40_000);
    const usages = Array.from({ length: 30 }, () => groups.add(1, 0));
    const last = usages.lastIndexOf('overusing');
    expect(usages.slice(last + 1).every((usage) => usage !== 'overusing')).toBe(true);
    expect(last).toBeLessThan(19);
  });

  it('gets used to slow growth that lasts, so that other flows do not starve this one', () => {
    const fresh = new Groups();
    expect(fresh.until('overusing', 1_100)).toBeLessThan(40);
    const used = new Groups();
    expect(used.until('overusing', 1_200)).toBeLessThan(40);
    used.add(200, 1_200);
    expect(used.add(25, 1_100)).toBe('normal');
  });

  it('does not get used to a sudden jump', () => {
    // m = 60 x 4 x 0.2 = 48, far more than the threshold + 15: it stays overuse for as long as it lasts.
    const groups = new Groups();
    expect(groups.until('overusing', 5_000)).toBeLessThan(30);
    expect(groups.add(250, 5_000)).toBe('overusing');
  });
});
