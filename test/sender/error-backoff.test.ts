import { describe, expect, it } from 'vitest';
import { ErrorBackoff } from '../../src/sender/encoding/error-backoff.js';
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
