import { describe, expect, it } from 'vitest';
import { BitrateControl } from '../../src/sender/allocation/bitrate-control.js';
import { TrackRegistry } from '../../src/sender/tracks/track-registry.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('what tracks may use of what a link carries', () => {
  it('falls at once, rises by a quarter or more at once, and by less in steps', async () => {
    const clock = new VirtualClock();
    const control = new BitrateControl(new TrackRegistry(), clock, { startBps: 1_000_000, maxBps: 20_000_000 });
    const targetFor = (nowBps: number): number => {
      control.setNetworkTarget({ nowBps, sustainedBps: 1_000_000 });
      return control.targetBps;
    };
    expect([1_000_000, 200_000, 800_000, 860_000].map(targetFor)).toEqual([1_000_000, 200_000, 800_000, 800_000]);
    await clock.advance(300);
    expect(control.targetBps).toBe(860_000);
  });
});
