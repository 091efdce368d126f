import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noViolation } from '../support/exploration/exploration.js';

/** A share of the exploration for every run of the suite; `npm run explore` does the rest. */
const SCHEDULES = 1500;

describe('a sender under any schedule', () => {
  it('loses, doubles and invents nothing, leaks nothing, and comes to its end', async () => {
    await fc.assert(noViolation(), { numRuns: SCHEDULES });
  }, 60_000);

  it('does exactly the same again from the same seed', async () => {
    const once = await digestOf(7);
    expect(await digestOf(7)).toBe(once);
    expect(await digestOf(8)).not.toBe(once);
  });
});

/** Of all that happens in some schedules from a seed. */
async function digestOf(seed: number): Promise<string> {
  const hash = createHash('sha256');
  await fc.assert(
    noViolation(({ digest }) => void hash.update(digest)),
    { seed, numRuns: 30 },
  );
  return hash.digest('hex');
}
