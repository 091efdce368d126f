import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSequence, sequenceDistance } from '../../src/core/sequence.js';

const sequences = fc.integer({ min: 0, max: 65_535 });

describe('sequence numbers', () => {
  it('wrap from 65535 to 0', () => {
    expect(nextSequence(65_535)).toBe(0);
    expect(nextSequence(7)).toBe(8);
  });

  it('have a signed distance that leads from one to the other', () => {
    fc.assert(
      fc.property(sequences, sequences, (from, to) => {
        const distance = sequenceDistance(from, to);
        expect(distance).toBeGreaterThanOrEqual(-32_768);
        expect(distance).toBeLessThan(32_768);
        expect((from + distance + 65_536) % 65_536).toBe(to);
      }),
    );
  });
});
