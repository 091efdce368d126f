import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QualityLimitationTracker } from '../../src/sender/stats/quality-limitation.js';

const START_US = 1_000_000;

describe('QualityLimitationTracker', () => {
  it('is unlimited at first and says so of all its time', () => {
    const tracker = new QualityLimitationTracker(START_US);
    expect(tracker.reason(START_US + 1)).toBe('none');
    expect(tracker.durations(START_US + 3_000_000)).toEqual({ none: 3, cpu: 0, bandwidth: 0 });
  });

  it('is limited by the CPU for a second after a frame was replaced, and by bandwidth after one was skipped', () => {
    const tracker = new QualityLimitationTracker(START_US);
    tracker.frameReplaced(START_US + 500_000);
    expect(tracker.reason(START_US + 1_499_999)).toBe('cpu');
    expect(tracker.reason(START_US + 1_500_000)).toBe('none');
    tracker.frameSkipped(START_US + 2_000_000);
    expect(tracker.reason(START_US + 2_000_000)).toBe('bandwidth');
    expect(tracker.durations(START_US + 4_000_000)).toEqual({ none: 2, cpu: 1, bandwidth: 1 });
  });

  it('puts bandwidth before CPU where both limit, and splits the time where the first one ends', () => {
    const tracker = new QualityLimitationTracker(START_US);
    tracker.frameSkipped(START_US);
    tracker.frameReplaced(START_US + 600_000);
    expect(tracker.reason(START_US + 700_000)).toBe('bandwidth');
    expect(tracker.reason(START_US + 1_000_000)).toBe('cpu');
    expect(tracker.durations(START_US + 2_000_000)).toEqual({ none: 0.4, cpu: 0.6, bandwidth: 1 });
  });

  it('accounts for every microsecond once, whatever happens and however often it is asked', () => {
    const step = fc.record({
      gapUs: fc.integer({ min: 0, max: 2_500_000 }),
      what: fc.constantFrom('replaced', 'skipped', 'asked'),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const tracker = new QualityLimitationTracker(START_US);
        let nowUs = START_US;
        for (const { gapUs, what } of steps) {
          nowUs += gapUs;
          if (what === 'replaced') tracker.frameReplaced(nowUs);
          else if (what === 'skipped') tracker.frameSkipped(nowUs);
          else tracker.durations(nowUs);
        }
        const { none, cpu, bandwidth } = tracker.durations(nowUs);
        expect(none + cpu + bandwidth).toBeCloseTo((nowUs - START_US) / 1e6, 6);
      }),
    );
  });
});
