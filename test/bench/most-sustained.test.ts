import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostSustained } from '../../src/bench/support/most-sustained.js';

/** What is found where so many are sustained, and what was tried. */
async function find(real: number, known: number, guess: number, limit: number) {
  const tried: number[] = [];
  const best = await mostSustained(known, guess, limit, async (count) => {
    tried.push(count);
    return count <= real;
  });
  return { best, tried };
}

describe('the search for the most that is sustained', () => {
  it('finds it from any guess, tries no number twice, none that is known, and none beyond the limit', async () => {
    const cases = fc.record({
      real: fc.integer({ min: 0, max: 80 }),
      known: fc.integer({ min: 0, max: 1 }),
      guess: fc.integer({ min: 0, max: 90 }),
      limit: fc.integer({ min: 1, max: 64 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ real, known, guess, limit }) => {
        const { best, tried } = await find(Math.max(real, known), known, guess, limit);
        expect(best).toBe(Math.min(Math.max(real, known), limit));
        expect(new Set(tried).size).toBe(tried.length);
        expect(tried.every((count) => count > known && count <= limit)).toBe(true);
      }),
    );
  });

  it('begins with the guess, and halves what is left', async () => {
    expect(await find(11, 1, 12, 15)).toEqual({ best: 11, tried: [12, 6, 9, 10, 11] });
    expect(await find(12, 1, 12, 15)).toEqual({ best: 12, tried: [12, 14, 13] });
  });
});
