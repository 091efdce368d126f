import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AllocationReason,
  type AllocationResult,
  Allocator,
  type TrackAllocation,
} from '../../../src/congestion/allocator/allocator.js';
import type { CompleteDemand, TrackDemand } from '../../../src/congestion/allocator/track-demand.js';
import { admitByTrial, divideByTrial, sum } from './allocation-oracle.js';
import { demandsOf, historiesOf, IDS, rarely, type Step, targets, weightsWithPauses } from './demand-arbitraries.js';

const START_US = 1_700_000_000_000_000;
const PAUSED = ['paused-by-weight', 'paused-by-budget', 'resuming'];

const anyDemands = demandsOf({ weights: weightsWithPauses, enforced: rarely });
const histories = historiesOf(anyDemands);

/** What must be true of a track for a reason to be given. */
const FITS: Readonly<Record<AllocationReason, (track: TrackAllocation, demand: CompleteDemand) => boolean>> = {
  weight: ({ targetBps }, { weight, minBps, maxBps }) => weight > 0 && targetBps > minBps && targetBps < maxBps,
  'at-minimum': ({ targetBps }, { weight, minBps }) => weight > 0 && targetBps === minBps,
  'at-maximum': ({ targetBps }, { weight, maxBps }) => weight > 0 && targetBps === maxBps,
  'held-back': (_track, { weight }) => weight > 0,
  short: ({ targetBps }, { minBps, enforceMinimum }) => targetBps === minBps && !enforceMinimum,
  'enforced-minimum': ({ targetBps }, { minBps, enforceMinimum }) => targetBps === minBps && enforceMinimum,
  'paused-by-weight': (_track, { weight }) => weight === 0,
  'paused-by-budget': (_track, { weight, minBps, enforceMinimum }) => weight > 0 && minBps > 0 && !enforceMinimum,
  resuming: (_track, { weight, minBps, enforceMinimum }) => weight > 0 && minBps > 0 && !enforceMinimum,
};

interface Moment {
  readonly nowUs: number;
  readonly targetBps: number;
  readonly demands: readonly CompleteDemand[];
}

/** When each step of a history is, and what holds then. */
function momentsOf(history: readonly Step[]): readonly Moment[] {
  let nowUs = START_US;
  let demands: readonly CompleteDemand[] = [];
  return history.map((step) => {
    nowUs += step.advanceUs;
    demands = step.demands ?? demands;
    return { nowUs, targetBps: step.targetBps, demands };
  });
}

function update(allocator: Allocator, { nowUs, targetBps, demands }: Moment): AllocationResult {
  return allocator.update({ nowUs, targetBps, tracks: demands });
}

/** The only decision on these demands by an allocator without a past. */
function firstDecision(targetBps: number, tracks: readonly TrackDemand[]): AllocationResult {
  return new Allocator().update({ nowUs: START_US, targetBps, tracks });
}

function byId({ tracks }: AllocationResult): ReadonlyMap<string, TrackAllocation> {
  return new Map(tracks.map((track) => [track.id, track]));
}

function admittedOf({ tracks }: AllocationResult): readonly string[] {
  return tracks.filter(({ paused }) => !paused).map(({ id }) => id);
}

/** Goes through a history with an allocator that begins with it. */
function replay(history: readonly Step[], check: (result: AllocationResult, moment: Moment) => void): void {
  const allocator = new Allocator();
  for (const moment of momentsOf(history)) check(update(allocator, moment), moment);
}

describe('an allocator, at every moment of any history', () => {
  it('stays within the budget, or says by how much it does not and which minimums are why', () => {
    fc.assert(
      fc.property(histories, (history) => {
        replay(history, ({ tracks, budgetBps, allocatedBps, overBudgetBps }, { targetBps, demands }) => {
          expect(budgetBps).toBe(targetBps);
          expect(allocatedBps).toBe(sum(tracks.map((track) => track.allocatedBps)));
          expect(overBudgetBps).toBe(Math.max(0, allocatedBps - budgetBps));
          const reasons = tracks.map(({ reason }) => reason);
          expect(overBudgetBps > 0).toBe(reasons.includes('short') || reasons.includes('enforced-minimum'));
          // What is sat out is at most 30 % of one minimum; the rest is enforced.
          const enforcedBps = sum(demands.filter(isEnforced).map(({ minBps }) => minBps));
          const short = tracks.flatMap(({ id, reason }) =>
            reason === 'short' ? demands.filter((demand) => demand.id === id) : [],
          );
          expect(short.length).toBeLessThanOrEqual(1);
          const bearableBps = Math.max(0, enforcedBps - budgetBps) + 0.3 * sum(short.map(({ minBps }) => minBps));
          expect(overBudgetBps).toBeLessThanOrEqual(bearableBps);
        });
      }),
    );
  });

  it('gives every track nothing, or a whole rate within its bounds, in the order of the request', () => {
    fc.assert(
      fc.property(histories, (history) => {
        replay(history, ({ tracks }, { demands }) => {
          expect(tracks.map(({ id }) => id)).toEqual(demands.map(({ id }) => id));
          for (const [index, track] of tracks.entries()) {
            const { minBps = Number.NaN, maxBps = Number.NaN } = demands[index] ?? {};
            for (const bps of [track.targetBps, track.allocatedBps]) {
              expect(Number.isSafeInteger(bps)).toBe(true);
              if (track.paused) expect(bps).toBe(0);
              else expect(bps >= minBps && bps <= maxBps).toBe(true);
            }
          }
        });
      }),
    );
  });

  it('gives a reason that fits', () => {
    fc.assert(
      fc.property(histories, (history) => {
        replay(history, ({ tracks }, { demands }) => {
          for (const [index, track] of tracks.entries()) {
            const demand = demands[index];
            expect(demand !== undefined && FITS[track.reason](track, demand), track.reason).toBe(true);
            expect(track.paused).toBe(PAUSED.includes(track.reason));
            expect(track.targetBps < track.allocatedBps).toBe(track.reason === 'held-back');
          }
        });
      }),
    );
  });

  it('leaves nothing over that an admitted track could use', () => {
    fc.assert(
      fc.property(histories, (history) => {
        replay(history, (result, { demands }) => {
          const admitted = admittedOf(result);
          const usableBps = sum(demands.filter(({ id }) => admitted.includes(id)).map(({ maxBps }) => maxBps));
          const leftBps = Math.min(result.budgetBps, usableBps) - result.allocatedBps;
          expect(leftBps).toBeLessThanOrEqual(admitted.length);
        });
      }),
    );
  });

  it('decides the same again when asked again', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const allocator = new Allocator();
        for (const moment of momentsOf(history)) {
          const first = update(allocator, moment);
          expect(update(allocator, moment)).toEqual(first);
        }
      }),
    );
  });

  it('does not depend on the order in which tracks are named', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const [forwards, backwards] = [new Allocator(), new Allocator()];
        for (const moment of momentsOf(history)) {
          const result = update(forwards, moment);
          const turned = update(backwards, { ...moment, demands: moment.demands.toReversed() });
          expect({ ...turned, tracks: turned.tracks.toReversed() }).toEqual(result);
        }
      }),
    );
  });

  it('never lets a lower class deny a higher one its minimum', () => {
    // Tracks stay in their class here: one that moves up brings its past with it.
    const classOf = (id: string): number => IDS.indexOf(id) % 3;
    const demands = demandsOf({ weights: weightsWithPauses }).map((tracks) =>
      tracks.map((track) => ({ ...track, priorityClass: classOf(track.id) })),
    );
    fc.assert(
      fc.property(historiesOf(demands), fc.integer({ min: 1, max: 2 }), (history, lowestClass) => {
        const [all, higherOnly] = [new Allocator(), new Allocator()];
        for (const moment of momentsOf(history)) {
          const higher = moment.demands.filter(({ priorityClass }) => priorityClass >= lowestClass);
          const beside = byId(update(all, moment));
          for (const track of update(higherOnly, { ...moment, demands: higher }).tracks) {
            expect(beside.get(track.id)?.paused).toBe(track.paused);
          }
        }
      }),
    );
  });

  it('changes nothing by time alone before `reviewAtUs`, and something then', () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (history, part) => {
        const allocator = new Allocator();
        const moments = momentsOf(history);
        for (const moment of moments) update(allocator, moment);
        const last = moments.at(-1);
        if (last === undefined) return;
        const result = update(allocator, last);
        const reviewAtUs = result.reviewAtUs ?? last.nowUs + 3_600_000_000;
        expect(reviewAtUs).toBeGreaterThan(last.nowUs);
        const betweenUs = last.nowUs + Math.floor((reviewAtUs - last.nowUs) * part);
        expect(update(allocator, { ...last, nowUs: betweenUs })).toEqual(result);
        if (result.reviewAtUs === undefined) return;
        expect(update(allocator, { ...last, nowUs: reviewAtUs }).tracks).not.toEqual(result.tracks);
      }),
    );
  });

  it('settles: asked often enough without a change it comes to rest, at what was allocated or just below', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const allocator = new Allocator();
        const moments = momentsOf(history);
        for (const moment of moments) update(allocator, moment);
        const last = moments.at(-1);
        if (last === undefined) return;
        let result = update(allocator, last);
        for (let reviews = 0; result.reviewAtUs !== undefined; reviews += 1) {
          expect(reviews).toBeLessThan(50);
          result = update(allocator, { ...last, nowUs: result.reviewAtUs });
        }
        for (const { targetBps, allocatedBps } of result.tracks) {
          expect(allocatedBps - targetBps).toBeLessThan(Math.max(0.03 * targetBps, 20_000));
        }
      }),
    );
  });
});

describe('an allocator without a past', () => {
  it('agrees with the best of all sets of tracks, divided by exhaustive search', () => {
    fc.assert(
      fc.property(targets, demandsOf({ enforced: rarely, maxLength: 5 }), (targetBps, demands) => {
        const result = firstDecision(targetBps, demands);
        const expected = admitByTrial(targetBps, demands);
        expect(new Set(admittedOf(result))).toEqual(expected);
        const admitted = demands.filter(({ id }) => expected.has(id));
        const rates = divideByTrial(targetBps, admitted);
        for (const [index, { id }] of admitted.entries()) {
          const difference = (byId(result).get(id)?.allocatedBps ?? Number.NaN) - (rates[index] ?? Number.NaN);
          expect(Math.abs(difference)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives nobody less for a larger budget, and nobody more for another track, while the same tracks are admitted', () => {
    fc.assert(
      fc.property(targets, fc.integer({ min: 0, max: 500_000 }), anyDemands, (targetBps, moreBps, demands) => {
        const result = firstDecision(targetBps, demands);
        const richer = firstDecision(targetBps + moreBps, demands);
        const poorer = firstDecision(targetBps, demands.slice(1));
        const sameSet = admittedOf(richer).join() === admittedOf(result).join();
        const noneDisplaced = admittedOf(poorer).every((id) => admittedOf(result).includes(id));
        for (const { id, allocatedBps } of result.tracks) {
          if (sameSet) expect(byId(richer).get(id)?.allocatedBps).toBeGreaterThanOrEqual(allocatedBps - 1);
          const alone = byId(poorer).get(id);
          if (noneDisplaced && alone?.paused === false)
            expect(allocatedBps).toBeLessThanOrEqual(alone.allocatedBps + 1);
        }
      }),
    );
  });

  it('does so without any condition while no track has a minimum', () => {
    const withoutMinimums = anyDemands.map((demands) => demands.map((demand) => ({ ...demand, minBps: 0 })));
    fc.assert(
      fc.property(targets, fc.integer({ min: 0, max: 500_000 }), withoutMinimums, (targetBps, moreBps, demands) => {
        const result = firstDecision(targetBps, demands);
        const richer = byId(firstDecision(targetBps + moreBps, demands));
        const poorer = byId(firstDecision(targetBps, demands.slice(1)));
        for (const { id, allocatedBps } of result.tracks) {
          expect(richer.get(id)?.allocatedBps).toBeGreaterThanOrEqual(allocatedBps - 1);
          const aloneBps = poorer.get(id)?.allocatedBps ?? Number.POSITIVE_INFINITY;
          expect(allocatedBps).toBeLessThanOrEqual(aloneBps + 1);
        }
      }),
    );
  });
});

describe('an allocator whose target wobbles by 5 % either way', () => {
  /** The wobble is slow or fast, to the extremes or anywhere between, about a target at which some minimum is just covered or just not. */
  const wobbles = fc.record({
    demands: demandsOf({ minLength: 1, enforced: rarely }),
    covered: fc.nat(),
    about: fc.double({ min: 0.9, max: 1.25, noNaN: true }),
    steps: fc.array(
      fc.record({
        factor: fc.oneof(fc.constantFrom(0.95, 1.05), fc.double({ min: 0.95, max: 1.05, noNaN: true })),
        lastsUs: fc.oneof(fc.integer({ min: 5_000, max: 100_000 }), fc.integer({ min: 300_000, max: 3_000_000 })),
      }),
      { minLength: 10, maxLength: 60 },
    ),
  });
  /** How often a driver asks while a step lasts. */
  const TICK_US = 50_000;

  it('switches no track on or off twice within 2 s', () => {
    fc.assert(
      fc.property(wobbles, ({ demands, covered, about, steps }) => {
        const some = demands.slice(0, 1 + (covered % demands.length));
        const centreBps = Math.max(100_000, about * sum(some.map(({ minBps }) => minBps)));
        const allocator = new Allocator();
        const toggledUs = new Map<string, number>();
        let paused: ReadonlyMap<string, boolean> | undefined;
        let nowUs = START_US;
        for (const { factor, lastsUs } of steps) {
          for (const untilUs = nowUs + lastsUs; nowUs < untilUs; nowUs += TICK_US) {
            const { tracks } = update(allocator, { nowUs, targetBps: centreBps * factor, demands });
            for (const track of tracks) {
              if (paused === undefined || paused.get(track.id) === track.paused) continue;
              expect(nowUs - (toggledUs.get(track.id) ?? 0)).toBeGreaterThanOrEqual(2_000_000);
              toggledUs.set(track.id, nowUs);
            }
            paused = new Map(tracks.map((track) => [track.id, track.paused]));
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

function isEnforced({ enforceMinimum, weight }: CompleteDemand): boolean {
  return enforceMinimum && weight > 0;
}
