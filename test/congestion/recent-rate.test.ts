import { describe, expect, it } from 'vitest';
import { RecentRate } from '../../src/congestion/recent-rate.js';

function arrive(rate: RecentRate, count: number, gapUs: number, startUs = 0): void {
  for (let index = 0; index < count; index += 1) rate.add(1_200, startUs + index * gapUs);
}

describe('RecentRate', () => {
  it('says nothing of fewer than eight packets, or of packets that arrived at once', () => {
    const rate = new RecentRate();
    arrive(rate, 7, 10_000);
    expect(rate.bps).toBeUndefined();
    const burst = new RecentRate();
    arrive(burst, 20, 0);
    expect(burst.bps).toBeUndefined();
  });

  it('is what arrived after the first packet, over the time since', () => {
    const rate = new RecentRate();
    arrive(rate, 8, 10_000);
    expect(rate.bps).toBeCloseTo(960_000, 6);
  });

  it('follows a slower link within 200 ms', () => {
    const rate = new RecentRate();
    arrive(rate, 100, 5_000);
    arrive(rate, 21, 10_000, 500_000);
    expect(rate.bps).toBeCloseTo(960_000, 6);
  });

  it('takes a second for eight packets of a slow link, and no longer', () => {
    const rate = new RecentRate();
    arrive(rate, 50, 100_000);
    expect(rate.bps).toBeCloseTo(96_000, 6);
    const slower = new RecentRate();
    arrive(slower, 50, 200_000);
    expect(slower.bps).toBeUndefined();
  });

  it('leaves out what was overtaken', () => {
    const rate = new RecentRate();
    arrive(rate, 20, 10_000);
    rate.add(1_200, 5_000);
    expect(rate.bps).toBeCloseTo(960_000, 6);
  });

  it('forgets at a reset', () => {
    const rate = new RecentRate();
    arrive(rate, 20, 10_000);
    rate.reset();
    expect(rate.bps).toBeUndefined();
  });
});
