import type { Random } from '../../../src/core/random.js';

/** The same numbers for the same seed: the linear congruential generator of Numerical Recipes, 2nd edition, section 7.1. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    uint32: () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state;
    },
  };
}
