import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { waterFill } from '../../../src/congestion/allocator/water-filling.js';
import { divideByTrial, sum } from './allocation-oracle.js';
import { anyWeights, demandsOf, targets } from './demand-arbitraries.js';

const demands = demandsOf();
const some = demandsOf({ minLength: 1 });
const budgets = fc.oneof(targets, fc.integer({ min: 0, max: 1_000_000_000_000 }));

const mostOf = (tracks: readonly { readonly maxBps: number }[]): number => sum(tracks.map(({ maxBps }) => maxBps));
const leastOf = (tracks: readonly { readonly minBps: number }[]): number => sum(tracks.map(({ minBps }) => minBps));

describe('waterFill', () => {
  it('agrees with an exhaustive search in exact arithmetic, to a bit per second', () => {
    fc.assert(
      fc.property(targets, demandsOf({ maxLength: 5 }), (budgetBps, tracks) => {
        const expected = divideByTrial(budgetBps, tracks);
        const shares = waterFill(budgetBps, tracks);
        expect(shares).toHaveLength(expected.length);
        for (const [index, share] of shares.entries()) {
          expect(Math.abs(share - (expected[index] ?? Number.NaN))).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with it exactly where the budget meets a bound', () => {
    const tracks = [
      { weight: 1, minBps: 0, maxBps: 10 },
      { weight: 1, minBps: 100, maxBps: 200 },
      { weight: 2, minBps: 50, maxBps: 400 },
    ];
    // Level by level, through every bend and one bit to either side of it.
    for (let budgetBps = 0; budgetBps <= 620; budgetBps += 1) {
      expect(waterFill(budgetBps, tracks)).toEqual(divideByTrial(budgetBps, tracks));
    }
  });

  it('gives whole shares within their bounds, whatever the weights', () => {
    fc.assert(
      fc.property(budgets, demandsOf({ weights: anyWeights }), (budgetBps, tracks) => {
        for (const [index, share] of waterFill(budgetBps, tracks).entries()) {
          expect(Number.isSafeInteger(share)).toBe(true);
          expect(share).toBeGreaterThanOrEqual(tracks[index]?.minBps ?? Number.NaN);
          expect(share).toBeLessThanOrEqual(tracks[index]?.maxBps ?? Number.NaN);
        }
      }),
    );
  });

  it('never exceeds a budget that covers the minimums, and gives the minimums where it does not', () => {
    fc.assert(
      fc.property(budgets, demandsOf({ weights: anyWeights }), (budgetBps, tracks) => {
        const shares = waterFill(budgetBps, tracks);
        if (budgetBps >= leastOf(tracks)) expect(sum(shares)).toBeLessThanOrEqual(budgetBps);
        else expect(shares).toEqual(tracks.map(({ minBps }) => minBps));
      }),
    );
  });

  it('leaves nothing over that somebody could use, but for less than a bit per second each', () => {
    fc.assert(
      fc.property(budgets, some, (budgetBps, tracks) => {
        const usable = Math.min(Math.max(budgetBps, leastOf(tracks)), mostOf(tracks));
        expect(usable - sum(waterFill(budgetBps, tracks))).toBeLessThanOrEqual(tracks.length);
      }),
    );
  });

  it('gives all shares that are strictly inside their bounds the same rate by weight', () => {
    fc.assert(
      fc.property(targets, demands, (budgetBps, tracks) => {
        const shares = waterFill(budgetBps, tracks);
        const inside = tracks.flatMap((track, index) => {
          const share = shares[index] ?? Number.NaN;
          return share > track.minBps && share + 1 < track.maxBps ? [{ ...track, share }] : [];
        });
        for (const a of inside) {
          for (const b of inside) {
            // Each was rounded down by less than 1, and may have lost one more to the arithmetic.
            expect(a.share / a.weight).toBeLessThan((b.share + 2) / b.weight);
          }
        }
      }),
    );
  });

  it('never gives anybody less when the budget grows', () => {
    fc.assert(
      fc.property(targets, fc.integer({ min: 0, max: 1_000_000 }), demands, (budgetBps, moreBps, tracks) => {
        const before = waterFill(budgetBps, tracks);
        const after = waterFill(budgetBps + moreBps, tracks);
        for (const [index, share] of before.entries()) expect(after[index]).toBeGreaterThanOrEqual(share - 1);
      }),
    );
  });

  it('never gives a share less when its weight grows, nor any other one more', () => {
    fc.assert(
      fc.property(targets, some, fc.nat(), fc.integer({ min: 1, max: 50 }), (budgetBps, tracks, pick, heavier) => {
        const at = pick % tracks.length;
        const grown = tracks.map((track, index) =>
          index === at ? { ...track, weight: track.weight + heavier } : track,
        );
        const before = waterFill(budgetBps, tracks);
        for (const [index, share] of waterFill(budgetBps, grown).entries()) {
          const previous = before[index] ?? Number.NaN;
          if (index === at) expect(share).toBeGreaterThanOrEqual(previous - 1);
          else expect(share).toBeLessThanOrEqual(previous + 1);
        }
      }),
    );
  });

  it('never gives anybody more when a share is added', () => {
    fc.assert(
      fc.property(targets, some, (budgetBps, tracks) => {
        const [added, ...rest] = tracks;
        const without = waterFill(budgetBps, rest);
        const [, ...beside] = waterFill(budgetBps, added === undefined ? rest : [added, ...rest]);
        for (const [index, share] of beside.entries()) {
          expect(share).toBeLessThanOrEqual((without[index] ?? Number.NaN) + 1);
        }
      }),
    );
  });

  it('does not depend on the scale of the weights', () => {
    fc.assert(
      fc.property(targets, demands, fc.integer({ min: 2, max: 1000 }), (budgetBps, tracks, factor) => {
        const shares = waterFill(budgetBps, tracks);
        const times = (scale: number) => tracks.map((track) => ({ ...track, weight: track.weight * scale }));
        expect(waterFill(budgetBps, times(2 ** -factor))).toEqual(shares);
        for (const [index, share] of waterFill(budgetBps, times(factor)).entries()) {
          expect(Math.abs(share - (shares[index] ?? Number.NaN))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('scales with budget and bounds', () => {
    fc.assert(
      fc.property(targets, demands, fc.integer({ min: 2, max: 100 }), (budgetBps, tracks, factor) => {
        const scaled = tracks.map((track) => ({
          ...track,
          minBps: track.minBps * factor,
          maxBps: track.maxBps * factor,
        }));
        const small = waterFill(budgetBps, tracks);
        for (const [index, share] of waterFill(budgetBps * factor, scaled).entries()) {
          const unscaled = share / factor - (small[index] ?? Number.NaN);
          expect(unscaled).toBeGreaterThanOrEqual(-1);
          expect(unscaled).toBeLessThanOrEqual(2);
        }
      }),
    );
  });
});
