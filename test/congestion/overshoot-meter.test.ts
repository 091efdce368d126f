import { describe, expect, it } from 'vitest';
import { OvershootMeter } from '../../src/congestion/overshoot-meter.js';

/** 1 Mbit/s is asked for, once every 25 ms; so much is made each time. */
function run(meter: OvershootMeter, seconds: number, bytesEach: number, startUs = 0): number {
  for (let nowUs = startUs; nowUs < startUs + seconds * 1_000_000; nowUs += 25_000) {
    meter.asked(1_000_000, nowUs);
    meter.made(bytesEach);
  }
  return meter.ratio;
}

/** 1 Mbit/s for 25 ms. */
const FAIR_BYTES = 3_125;

describe('OvershootMeter', () => {
  it('is 1 while nothing is known', () => {
    const meter = new OvershootMeter();
    expect(meter.ratio).toBe(1);
    meter.made(100_000);
    expect(meter.ratio).toBe(1);
  });

  it('finds out what encoders make of what they are asked for', () => {
    expect(run(new OvershootMeter(), 10, FAIR_BYTES * 1.3)).toBeCloseTo(1.3, 1);
  });

  it('does not ask for more where less is made', () => {
    expect(run(new OvershootMeter(), 10, FAIR_BYTES / 3)).toBe(1);
  });

  it('corrects by half at the most', () => {
    expect(run(new OvershootMeter(), 10, FAIR_BYTES * 9)).toBe(2);
  });

  it('forgets within a few times its window', () => {
    const meter = new OvershootMeter();
    run(meter, 10, FAIR_BYTES * 1.8);
    expect(run(meter, 6, FAIR_BYTES, 10_000_000)).toBeLessThan(1.05);
  });
});
