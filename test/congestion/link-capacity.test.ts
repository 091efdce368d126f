import { describe, expect, it } from 'vitest';
import { LinkCapacity } from '../../src/congestion/link-capacity.js';

describe('LinkCapacity', () => {
  it('bounds nothing while nothing is known, and after a reset', () => {
    const capacity = new LinkCapacity();
    capacity.overused(1_000_000);
    capacity.reset();
    expect(capacity.estimateBps).toBeUndefined();
    expect(capacity.upperBoundBps).toBe(Number.POSITIVE_INFINITY);
    expect(capacity.lowerBoundBps).toBe(0);
  });

  it('takes over the first rate, three least deviations to either side', () => {
    const capacity = new LinkCapacity();
    capacity.overused(1_000_000);
    expect(capacity.estimateBps).toBe(1_000_000);
    // 3 x sqrt(0.4 x 1000) = 60 kbit/s.
    expect(capacity.upperBoundBps).toBeCloseTo(1_060_000, 3);
    expect(capacity.lowerBoundBps).toBeCloseTo(940_000, 3);
  });

  it('moves by a twentieth at an overuse and by half at a probe', () => {
    const capacity = new LinkCapacity();
    capacity.overused(1_000_000);
    capacity.overused(1_200_000);
    expect(capacity.estimateBps).toBeCloseTo(1_010_000, 6);
    capacity.probed(2_010_000);
    expect(capacity.estimateBps).toBeCloseTo(1_510_000, 6);
  });

  it('is less sure after rates that vary, up to a bound', () => {
    const capacity = new LinkCapacity();
    capacity.overused(1_000_000);
    for (const rate of [2_000_000, 500_000, 2_000_000, 500_000]) capacity.probed(rate);
    const estimate = capacity.estimateBps ?? 0;
    // 3 x sqrt(2.5 x kbit/s).
    expect(capacity.upperBoundBps - estimate).toBeCloseTo(3 * Math.sqrt(2.5 * (estimate / 1000)) * 1000, 3);
  });

  it('has no lower bound below 0', () => {
    const capacity = new LinkCapacity();
    capacity.overused(1_000);
    // 1 - 3 x sqrt(0.4) is less than 0.
    expect(capacity.lowerBoundBps).toBe(0);
  });
});
