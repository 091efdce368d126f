import fc from 'fast-check';
import type { CompleteDemand } from '../../../src/congestion/allocator/track-demand.js';

export const IDS = ['arm', 'front', 'left', 'mast', 'rear', 'right'];

/** Target bitrates about what the demands below add up to. */
export const targets = fc.oneof(fc.integer({ min: 0, max: 8_000_000 }), fc.integer({ min: 0, max: 300_000 }));

export const wholeWeights = fc.integer({ min: 1, max: 100 });
/** From the smallest number to so large that weights almost add up to infinity. */
export const anyWeights = fc.oneof(
  fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE / IDS.length, noNaN: true }),
  fc.constantFrom(Number.MIN_VALUE, 1e-9, 1, 1e300),
);

const bounds = fc
  .record({
    minBps: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000_000 })),
    rangeBps: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 3_000_000 })),
  })
  .map(({ minBps, rangeBps }) => ({ minBps, maxBps: minBps + rangeBps }));

interface DemandOptions {
  readonly weights?: fc.Arbitrary<number>;
  readonly enforced?: fc.Arbitrary<boolean>;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Up to six tracks, in any order. */
export function demandsOf(options: DemandOptions = {}): fc.Arbitrary<CompleteDemand[]> {
  const { weights = wholeWeights, enforced = fc.constant(false), minLength = 0, maxLength = IDS.length } = options;
  const track = fc
    .record({
      id: fc.constantFrom(...IDS),
      weight: weights,
      bounds,
      priorityClass: fc.integer({ min: -1, max: 1 }),
      enforceMinimum: enforced,
    })
    .map(({ bounds: { minBps, maxBps }, ...rest }) => ({ ...rest, minBps, maxBps }));
  return fc.uniqueArray(track, { selector: ({ id }) => id, minLength, maxLength });
}

/** Mostly not enforced. */
export const rarely = fc.integer({ min: 0, max: 5 }).map((value) => value === 0);
/** Now and then a pause. */
export const weightsWithPauses = fc.oneof(
  { weight: 5, arbitrary: wholeWeights },
  { weight: 1, arbitrary: fc.constant(0) },
);

/** One call of `update`: so long after the one before, with this target, and perhaps other demands. */
export interface Step {
  readonly advanceUs: number;
  readonly targetBps: number;
  readonly demands: readonly CompleteDemand[] | undefined;
}

/** A history of updates: mostly the target moves, now and then what is asked for. */
export function historiesOf(demands: fc.Arbitrary<readonly CompleteDemand[]>): fc.Arbitrary<readonly Step[]> {
  const step = fc.record({
    advanceUs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400_000 }), fc.integer({ min: 1, max: 5_000_000 })),
    targetBps: targets,
    demands: fc.option(demands, { freq: 4, nil: undefined }),
  });
  return fc.array(step, { minLength: 1, maxLength: 30 });
}
