import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';

describe('the machine’s clock', () => {
  it('is near the wall clock, in whole microseconds, and never steps back', () => {
    const clock = new SystemClock();
    let previous = clock.nowUs();
    expect(Math.abs(previous - clock.wallUs())).toBeLessThan(3_600e6);
    for (let reading = 0; reading < 1000; reading += 1) {
      const now = clock.nowUs();
      expect(Number.isSafeInteger(now)).toBe(true);
      expect(now).toBeGreaterThanOrEqual(previous);
      previous = now;
    }
  });

  it('does not call back once a timer is cancelled, however often that is', async () => {
    const clock = new SystemClock();
    let called = 0;
    const cancelled = clock.setTimer(0, () => {
      called += 1;
    });
    cancelled.cancel();
    cancelled.cancel();
    await new Promise<void>((resolve) => clock.setTimer(5, resolve));
    expect(called).toBe(0);
  });
});
