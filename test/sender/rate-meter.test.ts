import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../src/sender/stats/rate-meter.js';

describe('RateMeter', () => {
  it('tells what was added in the second before the current tenth', () => {
    const meter = new RateMeter();
    for (let frame = 0; frame < 30; frame += 1) meter.add(1, 5_000_000 + frame * 33_400);
    expect(meter.perSecond(6_000_000)).toBe(30);
    expect(meter.perSecond(6_500_000)).toBe(15);
    expect(meter.perSecond(7_000_000)).toBe(0);
  });

  it('does not count the tenth that is being filled, which would make the rate flicker', () => {
    const meter = new RateMeter();
    meter.add(100, 1_000_000);
    expect(meter.perSecond(1_099_999)).toBe(0);
    expect(meter.perSecond(1_100_000)).toBe(100);
  });

  it('is 0 before anything was added, also near the epoch', () => {
    expect(new RateMeter().perSecond(0)).toBe(0);
    expect(new RateMeter().perSecond(1_700_000_000_000_000)).toBe(0);
  });

  it('agrees with a sum over all additions, at any rhythm and after any gap', () => {
    const addition = fc.record({
      gapUs: fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 10_000_000 })),
      amount: fc.integer({ min: 0, max: 1e6 }),
    });
    fc.assert(
      fc.property(
        fc.array(addition, { maxLength: 60 }),
        fc.integer({ min: 0, max: 3_000_000 }),
        (additions, restUs) => {
          const meter = new RateMeter();
          let nowUs = 0;
          const added = additions.map(({ gapUs, amount }) => {
            nowUs += gapUs;
            meter.add(amount, nowUs);
            return { atUs: nowUs, amount };
          });
          nowUs += restUs;
          const endUs = Math.floor(nowUs / 100_000) * 100_000;
          const within = added.filter(({ atUs }) => atUs >= endUs - 1_000_000 && atUs < endUs);
          expect(meter.perSecond(nowUs)).toBe(within.reduce((sum, { amount }) => sum + amount, 0));
        },
      ),
    );
  });
});
