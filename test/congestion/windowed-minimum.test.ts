import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WindowedMinimum } from '../../src/congestion/windowed-minimum.js';

const steps = fc.array(fc.record({ gapUs: fc.nat(30), value: fc.integer({ min: -50, max: 50 }) }), { maxLength: 200 });

describe('WindowedMinimum', () => {
  it('has nothing before the first value and after clearing', () => {
    const minimum = new WindowedMinimum(100, 10);
    expect(minimum.value).toBeUndefined();
    minimum.add(3, 0);
    expect(minimum.value).toBe(3);
    minimum.clear();
    expect(minimum.value).toBeUndefined();
  });

  it('is the least of the window, for values further apart than the resolution', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const minimum = new WindowedMinimum(100, 1);
        const all: { readonly atUs: number; readonly value: number }[] = [];
        let atUs = 0;
        for (const { gapUs, value } of list) {
          atUs += gapUs + 1;
          minimum.add(value, atUs);
          all.push({ atUs, value });
          const inWindow = all.filter((each) => atUs - each.atUs <= 100);
          expect(minimum.value).toBe(Math.min(...inWindow.map((each) => each.value)));
        }
      }),
    );
  });

  it('passes over larger values within the resolution only', () => {
    const minimum = new WindowedMinimum(100, 10);
    minimum.add(1, 0);
    minimum.add(2, 9);
    minimum.add(3, 10);
    minimum.add(9, 101);
    expect(minimum.value).toBe(3);
  });

  it('takes a lesser value at once, however soon', () => {
    const minimum = new WindowedMinimum(100, 10);
    minimum.add(5, 0);
    minimum.add(2, 1);
    expect(minimum.value).toBe(2);
  });

  it('counts a value from before the newest as of that time, and one from before the window not at all', () => {
    const minimum = new WindowedMinimum(100, 10);
    minimum.add(5, 1_000);
    minimum.add(1, 899);
    expect(minimum.value).toBe(5);
    minimum.add(2, 950);
    minimum.add(9, 1_100);
    expect(minimum.value).toBe(2);
  });
});
