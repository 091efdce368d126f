import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allocator } from '../../src/congestion/allocator/allocator.js';
import {
  type BitrateAllocation,
  demandsUnder,
  validateAllocation,
  weightOf,
} from '../../src/sender/allocation/allocation.js';
import { audioShareBps } from '../../src/sender/tracks/stream-rates.js';

const IDS = ['front', 'rear', 'left', 'right', 'arm', 'mast'];
const TRACKS = new Map(IDS.map((id) => [id, { id, allocatable: true }]));

const ids = fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 });
const budget = fc.integer({ min: 0, max: 1_000_000_000 });
const anyWeight = fc.oneof(
  fc.constant(0),
  fc.double({ min: 0, max: Number.MAX_VALUE / IDS.length, noNaN: true }),
  fc.constantFrom(Number.MIN_VALUE, 1e300, 1),
);
const wholeWeight = fc.integer({ min: 0, max: 1000 });

function allocationOf(weight: fc.Arbitrary<number>): fc.Arbitrary<Record<string, number>> {
  return fc
    .dictionary(fc.constantFrom(...IDS), weight, { minKeys: 1 })
    .filter((weights) => Object.values(weights).some((value) => value > 0));
}

function divide(budgetBps: number, allocation: BitrateAllocation, trackIds: readonly string[]): Record<string, number> {
  const tracks = demandsUnder(
    allocation,
    trackIds.map((id) => ({ id, allocatable: true })),
  );
  const decisions = new Allocator().update({ nowUs: 0, targetBps: budgetBps, tracks }).tracks;
  return Object.fromEntries(decisions.map(({ id, targetBps }) => [id, targetBps]));
}

function codeFor(allocation: unknown): string | undefined {
  try {
    validateAllocation(allocation as BitrateAllocation, TRACKS);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? `uncoded: ${String(error)}`;
  }
}

describe('dividing the bitrate', () => {
  it('gives whole, non-negative shares that never add up to more than the budget, whatever the weights', () => {
    fc.assert(
      fc.property(budget, fc.option(allocationOf(anyWeight)), ids, (budgetBps, allocation, trackIds) => {
        const shares = Object.values(divide(budgetBps, allocation, trackIds));
        expect(shares).toHaveLength(trackIds.length);
        for (const share of shares) expect(Number.isSafeInteger(share) && share >= 0).toBe(true);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(budgetBps);
      }),
    );
  });

  it('leaves at most one bit per second a track undivided', () => {
    fc.assert(
      fc.property(budget, allocationOf(wholeWeight), (budgetBps, allocation) => {
        const shares = Object.values(divide(budgetBps, allocation, IDS));
        const rest = budgetBps - shares.reduce((sum, share) => sum + share, 0);
        expect(rest).toBeLessThanOrEqual(IDS.length);
      }),
    );
  });

  it('gives tracks of one weight one rate, and more to a larger weight', () => {
    fc.assert(
      fc.property(budget, allocationOf(wholeWeight), (budgetBps, allocation) => {
        const shares = divide(budgetBps, allocation, IDS);
        for (const a of IDS) {
          for (const b of IDS) {
            const difference = weightOf(allocation, a) - weightOf(allocation, b);
            if (difference === 0) expect(shares[a]).toBe(shares[b]);
            if (difference > 0) expect(shares[a]).toBeGreaterThanOrEqual(shares[b] ?? Number.NaN);
          }
        }
      }),
    );
  });

  it('gives nothing to a track that is left out or has weight 0, and everybody the same without an allocation', () => {
    fc.assert(
      fc.property(budget, allocationOf(wholeWeight), ids, (budgetBps, allocation, trackIds) => {
        const shares = divide(budgetBps, allocation, trackIds);
        for (const id of trackIds) if ((allocation[id] ?? 0) === 0) expect(shares[id]).toBe(0);
        const equal = Math.floor(budgetBps * (1 / trackIds.length));
        expect(Object.values(divide(budgetBps, null, trackIds))).toEqual(trackIds.map(() => equal));
      }),
    );
  });

  it('does not depend on the order of tracks or weights', () => {
    const shuffled = fc.shuffledSubarray(IDS, { minLength: IDS.length });
    fc.assert(
      fc.property(budget, allocationOf(wholeWeight), shuffled, (budgetBps, allocation, order) => {
        const reversed = Object.fromEntries(Object.entries(allocation).reverse());
        expect(divide(budgetBps, reversed, order)).toEqual(divide(budgetBps, allocation, IDS));
      }),
    );
  });

  it('does not depend on the scale of the weights', () => {
    const factor = fc.integer({ min: -40, max: 40 }).map((exponent) => 2 ** exponent);
    fc.assert(
      fc.property(budget, allocationOf(wholeWeight), factor, (budgetBps, allocation, scale) => {
        const scaled = Object.fromEntries(Object.entries(allocation).map(([id, weight]) => [id, weight * scale]));
        expect(divide(budgetBps, scaled, IDS)).toEqual(divide(budgetBps, allocation, IDS));
      }),
    );
  });
});

describe('validating an allocation', () => {
  it.each([
    ['a weight that is NaN', { front: Number.NaN }, 'INVALID_WEIGHT'],
    ['an infinite weight', { front: Number.POSITIVE_INFINITY }, 'INVALID_WEIGHT'],
    ['a negative weight', { front: 1, rear: -1 }, 'INVALID_WEIGHT'],
    ['a weight that is no number', { front: '1' }, 'INVALID_WEIGHT'],
    ['weights that add up to infinity', { front: Number.MAX_VALUE, rear: Number.MAX_VALUE }, 'INVALID_WEIGHT'],
    ['a track that does not exist', { front: 1, hull: 1 }, 'TRACK_NOT_FOUND'],
    ['a name that every object has', { front: 1, constructor: 1 }, 'TRACK_NOT_FOUND'],
    ['weights that are all 0', { front: 0, rear: 0 }, 'ALLOCATION_SUM_ZERO'],
    ['no weights at all', {}, 'ALLOCATION_SUM_ZERO'],
    ['a share that is null', { front: null }, 'INVALID_WEIGHT'],
    ['a share with a weight that is no number', { front: { weight: '1' } }, 'INVALID_WEIGHT'],
    ['a share with a misspelt bound', { front: { minimumBps: 1 } }, 'INVALID_ARGUMENT'],
    ['a minimum that is NaN', { front: { minBps: Number.NaN } }, 'INVALID_BITRATE'],
    ['a minimum above its maximum', { front: { minBps: 2, maxBps: 1 } }, 'INVALID_BITRATE'],
    ['a class that is no integer', { front: { priorityClass: 0.5 } }, 'INVALID_ARGUMENT'],
    ['an enforced minimum that is no boolean', { front: { enforceMinimum: 1 } }, 'INVALID_ARGUMENT'],
    ['shares whose weights are all 0', { front: { weight: 0, minBps: 1 } }, 'ALLOCATION_SUM_ZERO'],
    ['nothing', undefined, 'INVALID_ARGUMENT'],
    ['a number', 1, 'INVALID_ARGUMENT'],
  ])('refuses %s', (_name, allocation, code) => {
    expect(codeFor(allocation)).toBe(code);
  });

  it('refuses audio, which takes its share off the top', () => {
    const tracks = new Map([['mic', { id: 'mic', allocatable: false }]]);
    expect(() => validateAllocation({ mic: 1 }, tracks)).toThrow(
      expect.objectContaining({ code: 'NOT_ALLOCATABLE', context: { trackId: 'mic' } }),
    );
  });

  it('returns a private copy that nobody can change, and null for equal shares', () => {
    const mine = { front: 2, rear: 1 };
    const valid = validateAllocation(mine, TRACKS);
    mine.front = 0;
    expect(valid).toEqual({ front: 2, rear: 1 });
    expect(Object.isFrozen(valid)).toBe(true);
    expect(validateAllocation(null, TRACKS)).toBeNull();
  });

  it('freezes a private copy of every share', () => {
    const share = { minBps: 100_000, priorityClass: 1 };
    const valid = validateAllocation({ front: share, rear: 1 }, TRACKS);
    share.minBps = 0;
    expect(valid).toEqual({ front: { minBps: 100_000, priorityClass: 1 }, rear: 1 });
    expect(Object.isFrozen(valid?.['front'])).toBe(true);
    expect([weightOf(valid, 'front'), weightOf(valid, 'left')]).toEqual([1, 0]);
  });

  it('knows no weight for names that every object has', () => {
    expect(weightOf({ front: 1 }, 'toString')).toBe(0);
    expect(weightOf(null, 'toString')).toBe(1);
  });
});

describe('the share of audio', () => {
  it.each([
    [100_000, 8_000],
    [160_000, 8_000],
    [400_000, 20_000],
    [640_000, 32_000],
    [5_000_000, 32_000],
    [1_000, 8_000],
  ])('at %d bit/s gives %d to each audio track: 5 %% within 8 and 32 kbit/s', (targetBps, shareBps) => {
    expect(audioShareBps(targetBps)).toBe(shareBps);
  });
});
