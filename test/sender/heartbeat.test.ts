import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/sender/operations/heartbeat.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('Heartbeat', () => {
  it('beats at its interval from the start until it is stopped, and leaves no timer', async () => {
    const clock = new VirtualClock();
    let beats = 0;
    const heartbeat = new Heartbeat(clock, 100, () => {
      beats += 1;
    });
    heartbeat.start();
    heartbeat.start();
    await clock.advance(99);
    expect(beats).toBe(0);
    await clock.advance(401);
    expect(beats).toBe(5);
    heartbeat.stop();
    heartbeat.stop();
    await clock.advance(1000);
    expect(beats).toBe(5);
    expect(clock.pendingTimers).toBe(0);
  });

  it('can be stopped by its own beat, and started again', async () => {
    const clock = new VirtualClock();
    let beats = 0;
    const heartbeat = new Heartbeat(clock, 100, () => {
      beats += 1;
      heartbeat.stop();
    });
    heartbeat.start();
    await clock.advance(1000);
    expect(beats).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    heartbeat.start();
    await clock.advance(1000);
    expect(beats).toBe(2);
  });
});
