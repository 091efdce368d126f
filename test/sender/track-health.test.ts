import { describe, expect, it } from 'vitest';
import { STALL_AFTER_US, TrackWatchdog } from '../../src/sender/stats/track-health.js';

/** Frames that arrive 30 times a second from `fromUs` on; returns the time of the last. */
function arrive(watchdog: TrackWatchdog, fromUs: number, frames: number, processed: boolean): number {
  let nowUs = fromUs;
  for (let frame = 0; frame < frames; frame += 1) {
    nowUs = fromUs + frame * 33_333;
    watchdog.frameArrived(nowUs);
    if (processed) watchdog.frameProcessed();
  }
  return nowUs;
}

describe('TrackWatchdog', () => {
  it('waits for the first frame, for however long', () => {
    expect(new TrackWatchdog().health(10 * STALL_AFTER_US)).toBe('waiting');
  });

  it('is ok while frames come and are encoded', () => {
    const watchdog = new TrackWatchdog();
    expect(watchdog.health(arrive(watchdog, 0, 100, true))).toBe('ok');
  });

  it('has stalled when frames come and none was encoded for 2 s, and not a microsecond before', () => {
    const watchdog = new TrackWatchdog();
    const lastUs = arrive(watchdog, 0, 60, false);
    expect(lastUs).toBeLessThan(STALL_AFTER_US);
    expect(watchdog.health(STALL_AFTER_US - 1)).toBe('ok');
    expect(watchdog.health(STALL_AFTER_US)).toBe('stalled');
  });

  it('counts from the first unencoded frame, not from the last encoded one: a slow camera has not stalled', () => {
    const watchdog = new TrackWatchdog();
    arrive(watchdog, 0, 1, true);
    watchdog.frameArrived(STALL_AFTER_US - 1);
    expect(watchdog.health(STALL_AFTER_US + 10)).toBe('ok');
  });

  it('recovers with the first encoded frame', () => {
    const watchdog = new TrackWatchdog();
    arrive(watchdog, 0, 61, false);
    watchdog.frameProcessed();
    expect(watchdog.health(STALL_AFTER_US)).toBe('ok');
  });

  it('lacks input when frames came and do not any more', () => {
    const watchdog = new TrackWatchdog();
    arrive(watchdog, 0, 1, true);
    expect(watchdog.health(STALL_AFTER_US - 1)).toBe('ok');
    expect(watchdog.health(STALL_AFTER_US)).toBe('no-input');
  });

  it('forgets the past when the stall clock starts anew', () => {
    const watchdog = new TrackWatchdog();
    const lastUs = arrive(watchdog, 0, 90, false);
    watchdog.reset();
    expect(watchdog.health(lastUs)).toBe('waiting');
    watchdog.frameArrived(lastUs);
    expect(watchdog.health(lastUs + 1)).toBe('ok');
  });
});
