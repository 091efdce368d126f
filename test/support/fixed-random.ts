import type { Random } from '../../src/core/random.js';

/** Randomness that always gives the same number. */
export function fixedRandom(value: number): Random {
  return { uint32: () => value };
}
