import type { CompleteDemand } from '../../../src/congestion/allocator/track-demand.js';

/** What the division needs of a track; weights are whole numbers here. */
type Bounded = Pick<CompleteDemand, 'weight' | 'minBps' | 'maxBps'>;

const PLACES = ['minimum', 'free', 'maximum'] as const;
type Place = (typeof PLACES)[number];

/**
 * The division found by trying every way to put each track at its minimum, at its maximum or in between, in exact arithmetic: 3^n ways, of
 * which the one counts that no level contradicts.
 */
export function divideByTrial(budgetBps: number, tracks: readonly Bounded[]): readonly number[] {
  const budget = BigInt(budgetBps);
  if (budgetBps <= sum(tracks.map(({ minBps }) => minBps))) return tracks.map(({ minBps }) => minBps);
  if (budgetBps >= sum(tracks.map(({ maxBps }) => maxBps))) return tracks.map(({ maxBps }) => maxBps);
  for (let way = 0; way < PLACES.length ** tracks.length; way += 1) {
    const places = tracks.map((_, index): Place => PLACES[Math.floor(way / PLACES.length ** index) % 3] ?? 'free');
    const rates = ratesOf(budget, tracks, places);
    if (rates !== undefined) return rates;
  }
  throw new Error('no way to divide was consistent');
}

function ratesOf(budget: bigint, tracks: readonly Bounded[], places: readonly Place[]): number[] | undefined {
  let rest = budget;
  let weights = 0n;
  for (const [index, { weight, minBps, maxBps }] of tracks.entries()) {
    if (places[index] === 'free') weights += BigInt(weight);
    else if (places[index] === 'minimum') rest -= BigInt(minBps);
    else if (Number.isFinite(maxBps)) rest -= BigInt(maxBps);
    else return undefined;
  }
  if (weights === 0n) return undefined;
  // The level is rest / weights; both sides are multiplied by weights.
  const fits = tracks.every(({ weight, minBps, maxBps }, index) => {
    const wanted = BigInt(weight) * rest;
    const aboveMinimum = wanted >= BigInt(minBps) * weights;
    const aboveMaximum = Number.isFinite(maxBps) && wanted > BigInt(maxBps) * weights;
    if (places[index] === 'minimum') return !aboveMinimum || wanted === BigInt(minBps) * weights;
    return places[index] === 'free' ? aboveMinimum && !aboveMaximum : aboveMaximum;
  });
  if (!fits) return undefined;
  return tracks.map(({ weight, minBps, maxBps }, index) => {
    if (places[index] === 'free') return Number((BigInt(weight) * rest) / weights);
    return places[index] === 'minimum' ? minBps : maxBps;
  });
}

/**
 * Which of some tracks without a history are admitted: of all sets whose minimums fit beside the enforced ones, the one that serves the first track of the
 * order if any does, then the second, and so on. Found by trying all 2^n sets.
 */
export function admitByTrial(budgetBps: number, tracks: readonly CompleteDemand[]): ReadonlySet<string> {
  const enforced = tracks.filter(({ enforceMinimum }) => enforceMinimum);
  const others = tracks.filter(({ enforceMinimum }) => !enforceMinimum);
  others.sort((a, b) => b.priorityClass - a.priorityClass || (a.id < b.id ? -1 : 1));
  const leftBps = Math.max(0, budgetBps - sum(enforced.map(({ minBps }) => minBps)));
  let best = 0;
  // The first of the order is the highest bit, so that the better of two sets is the larger number.
  const isIn = (set: number, index: number): boolean => ((set >> (others.length - 1 - index)) & 1) === 1;
  for (let set = 0; set < 2 ** others.length; set += 1) {
    if (sum(others.filter((_, index) => isIn(set, index)).map(({ minBps }) => minBps)) <= leftBps) best = set;
  }
  return new Set([...enforced, ...others.filter((_, index) => isIn(best, index))].map(({ id }) => id));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
