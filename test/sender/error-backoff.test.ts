import { describe, expect, it } from 'vitest';
import { ErrorBackoff } from '../../src/sender/error-backoff.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { SenderHarness } from './sender-harness.js';

/** Milliseconds until the next attempt may start. */
async function delayOf(backoff: ErrorBackoff, clock: VirtualClock): Promise<number> {
  let over = false;
  void backoff.failed().then(() => {
    over = true;
  });
  const startUs = clock.nowUs();
  while (!over) await clock.advance(5);
  return (clock.nowUs() - startUs) / 1000;
}

describe('ErrorBackoff', () => {
  it('doubles the wait with every failure in a row, up to a second, and starts over after a success', async () => {
    const clock = new VirtualClock();
    const backoff = new ErrorBackoff(clock);
    const delays: number[] = [];
    for (let failure = 0; failure < 9; failure += 1) delays.push(await delayOf(backoff, clock));
    expect(delays).toEqual([10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    backoff.succeeded();
    expect(await delayOf(backoff, clock)).toBe(10);
  });

  it('wakes at once when it is ended, leaves no timer, and does not wait any more', async () => {
    const clock = new VirtualClock();
    const backoff = new ErrorBackoff(clock);
    const waiting = backoff.failed();
    backoff.end();
    await waiting;
    await backoff.failed();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('an encoder that keeps failing', () => {
  it('is tried a bounded number of times, loses the frame of each attempt once, and recovers', async () => {
    const harness = await new SenderHarness().connected('front');
    const [encoder] = harness.encoders.encoders;
    if (encoder === undefined) throw new Error('no encoder');
    const errors: unknown[] = [];
    harness.sender.on('error', (event) => void errors.push(event));
    encoder.readError = new Error('the encoder is broken');
    for (let frame = 0; frame < 300; frame += 1) await harness.send('front');
    const { encoderErrors, framesDropped, health } = harness.sender.getTrackStats('front');
    // 10 s of failures: 7 attempts in the first 1.3 s, then one a second.
    expect(encoderErrors).toBeGreaterThan(10);
    expect(encoderErrors).toBeLessThan(20);
    expect(framesDropped['encode-failed']).toBe(encoderErrors);
    expect(health).toBe('stalled');
    expect(errors).toHaveLength(encoderErrors);
    expect(errors[0]).toEqual({ where: 'encoder', trackId: 'front', error: encoder.readError });

    encoder.readError = undefined;
    await harness.clock.advance(1000);
    const sent = await harness.send('front');
    expect(harness.reports.at(-1)).toMatchObject({ outcome: 'sent', timestamp: sent });
    await harness.sender.close();
    harness.expectBalance();
    expect(harness.clock.pendingTimers).toBe(0);
  });

  it('can be replaced while it is failing: the swap does not wait for the backoff', async () => {
    const harness = await new SenderHarness().connected('front');
    const [encoder] = harness.encoders.encoders;
    if (encoder === undefined) throw new Error('no encoder');
    encoder.readError = new Error('the encoder is broken');
    for (let frame = 0; frame < 60; frame += 1) await harness.send('front');
    const recreated = harness.sender.recreateEncoder('front');
    await harness.settle();
    await recreated;
    await harness.clock.advance(1000);
    expect(harness.reports.at(-1)).toMatchObject({ outcome: 'sent', type: 'key' });
    await harness.sender.close();
    harness.expectBalance();
  });

  it('bytes that cannot be packetized lose their frame once, release the chunk, and space the attempts too', async () => {
    const harness = new SenderHarness();
    await harness.sender.addVideoTrack({ id: 'front', codec: 'h264', width: 64, height: 48 });
    await harness.sender.connect(harness.negotiate);
    const [encoder] = harness.encoders.encoders;
    if (encoder === undefined) throw new Error('no encoder');
    const read = encoder.read.bind(encoder);
    encoder.read = async () => {
      const result = await read();
      // Without a start code it is no H.264.
      if (result.kind === 'chunk') result.chunk.data.fill(0xff);
      return result;
    };
    for (let frame = 0; frame < 30; frame += 1) await harness.send('front', 2);
    const { encoderErrors, framesDropped } = harness.sender.getTrackStats('front');
    expect(framesDropped['encode-failed']).toBe(encoderErrors);
    expect(encoderErrors).toBeLessThanOrEqual(3);
    await harness.sender.close();
    harness.expectBalance();
    expect(harness.encoders.violations).toEqual([]);
  });
});
