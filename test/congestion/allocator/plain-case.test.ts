import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AllocationRequest,
  Allocator,
  type TrackAllocation,
} from '../../../src/congestion/allocator/allocator.js';
import { type AllocatableTrack, weightOf } from '../../../src/sender/allocation/allocation.js';
import { audioShareBps } from '../../../src/sender/tracks/stream-rates.js';
import { anyWeights, IDS, wholeWeights } from './demand-arbitraries.js';
import { plainDivision } from './plain-division.js';

type Weights = Readonly<Record<string, number>> | null;

/** One thing that a sender's caller may do: another target, another allocation or other tracks. */
interface Call {
  readonly advanceUs: number;
  readonly targetBps: number;
  readonly allocation: Weights | undefined;
  readonly tracks: readonly AllocatableTrack[] | undefined;
}

const tracks = fc.uniqueArray(
  fc.constantFrom(...IDS, 'mic', 'cabin').map((id) => ({ id, allocatable: IDS.includes(id) })),
  { selector: ({ id }) => id },
);

const wholeTargets = fc.integer({ min: 0, max: 100_000_000 });
const anyTargets = fc.double({ min: 0, max: 1e9, noNaN: true });

function callsWith(weights: fc.Arbitrary<number>, targetBps: fc.Arbitrary<number>): fc.Arbitrary<readonly Call[]> {
  const allocation = fc.option(fc.dictionary(fc.constantFrom(...IDS), fc.oneof(weights, fc.constant(0))));
  const call = fc.record({
    advanceUs: fc.integer({ min: 0, max: 2_000_000 }),
    targetBps,
    allocation: fc.option(allocation, { nil: undefined }),
    tracks: fc.option(tracks, { nil: undefined }),
  });
  return fc.array(call, { maxLength: 20 });
}

/** A sender's state as a request: every minimum 0, one class, audio off the top. */
function requestOf(
  nowUs: number,
  targetBps: number,
  allocation: Weights,
  all: readonly AllocatableTrack[],
): AllocationRequest {
  const video = all.filter(({ allocatable }) => allocatable);
  const audioBps = (all.length - video.length) * audioShareBps(targetBps);
  return { nowUs, targetBps, audioBps, tracks: video.map(({ id }) => ({ id, weight: weightOf(allocation, id) })) };
}

/** What the plain division makes of one track, and whether the caller has just changed weights or tracks. */
interface Expected {
  readonly bps: number;
  readonly weight: number;
  readonly told: boolean;
}

/** Puts both through the same calls and hands over what each makes of every track. */
function compare(calls: readonly Call[], check: (ours: TrackAllocation, theirs: Expected) => void): void {
  const allocator = new Allocator();
  let nowUs = 0;
  let allocation: Weights = null;
  let all: readonly AllocatableTrack[] = [];
  let before: readonly unknown[] = [];
  for (const call of calls) {
    nowUs += call.advanceUs;
    if (call.allocation !== undefined) allocation = call.allocation;
    all = call.tracks ?? all;
    const request = requestOf(nowUs, call.targetBps, allocation, all);
    const expected = plainDivision(call.targetBps, allocation, all);
    const result = allocator.update(request);
    // Said in another way than the allocator does it: the same names with the same weights.
    const told = JSON.stringify(sorted(request)) !== JSON.stringify(before);
    before = sorted(request);
    for (const track of result.tracks) {
      check(track, { bps: expected.get(track.id) ?? Number.NaN, weight: weightOf(allocation, track.id), told });
    }
  }
}

function sorted({ tracks: some }: AllocationRequest): readonly unknown[] {
  return some.map(({ id, weight }) => `${id} ${weight}`).sort();
}

describe('an allocator without minimums, with one class, is the division of `setBitrateAllocation`', () => {
  it('allocates exactly the same for whole weights and targets, whatever was before', () => {
    fc.assert(
      fc.property(callsWith(wholeWeights, wholeTargets), (calls) => {
        compare(calls, (ours, theirs) => expect(ours.allocatedBps).toBe(theirs.bps));
      }),
    );
  });

  it('allocates the same for any, to a bit per second: it rounds the budget first, and adds weights up in the order of ids', () => {
    fc.assert(
      fc.property(callsWith(anyWeights, anyTargets), (calls) => {
        compare(calls, (ours, theirs) => expect(Math.abs(ours.allocatedBps - theirs.bps)).toBeLessThanOrEqual(1));
      }),
    );
  });

  it('pauses the tracks of weight 0 and no other, at once', () => {
    fc.assert(
      fc.property(callsWith(wholeWeights, wholeTargets), (calls) => {
        compare(calls, (ours, theirs) => expect(ours.paused).toBe(theirs.weight === 0));
      }),
    );
  });

  it('publishes what is allocated as soon as weights or tracks change, and never more at any other time', () => {
    fc.assert(
      fc.property(callsWith(wholeWeights, wholeTargets), (calls) => {
        compare(calls, (ours, { bps, told }) => {
          if (told) expect(ours.targetBps).toBe(bps);
          else expect(ours.targetBps).toBeLessThanOrEqual(bps);
        });
      }),
    );
  });
});
