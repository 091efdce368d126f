import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentSizes } from '../../src/rtp/fragment-sizes.js';

describe('fragmentSizes', () => {
  it('makes the fewest parts, within the limit, equal to a byte and complete', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 1500 }), (totalBytes, maxBytes) => {
        const sizes = fragmentSizes(totalBytes, maxBytes);
        const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
        expect(sizes).toHaveLength(Math.ceil(totalBytes / maxBytes));
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(totalBytes);
        expect(largest).toBeLessThanOrEqual(maxBytes);
        expect(largest - smallest).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([0, -3, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a limit of %d bytes', (maxBytes) => {
    expect(() => fragmentSizes(100, maxBytes)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
