import { afterEach, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { createSender } from '../../src/service/create-sender.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { NativePeer } from '../support/native-peer.js';

const clock = new SystemClock();
const ends: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Waits until something holds, for some seconds at the most; what follows checks whether it does. */
async function until(condition: () => boolean, seconds: number): Promise<void> {
  for (let wait = 0; wait < 10 * seconds && !condition(); wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

it('a camera whose target is too low for its size comes through smaller and fluent, and grows with the target', async () => {
  const sender = createSender({ clock, startBitrateBps: 100_000, congestionControl: 'fixed' });
  const peer = new NativePeer(() => clock.nowUs());
  const source = new TestPatternSource({ width: 1280, height: 720, framerate: 30, label: 'front', cameraId: 1, clock });
  ends.push(
    () => peer.close(),
    async () => void (await sender.close()),
    () => source.stop(),
  );
  await sender.addVideoTrack({ id: 'front', width: 1280, height: 720, degradationPreference: 'maintain-framerate' });
  await sender.connect(peer.negotiate);
  await source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => undefined });
  const widths = () => [...new Set(peer.picturesOf(1).map(({ width }) => width))];

  await until(() => widths().length > 1, 15);
  expect(widths().length).toBeGreaterThan(1);
  const { frameWidth = 0, qualityLimitationReason, qualityLimitationResolutionChanges } = sender.getTrackStats('front');
  expect(frameWidth).toBeLessThan(1280);
  expect(qualityLimitationReason).toBe('bandwidth');
  expect(qualityLimitationResolutionChanges).toBeGreaterThan(0);

  sender.updateBitrate(3_000_000);
  await until(() => peer.picturesOf(1).at(-1)?.width === 1280, 30);
  const pictures = peer.picturesOf(1);
  expect(pictures.at(-1)?.width).toBe(1280);
  const times = pictures.flatMap(({ code }) => (code === undefined ? [] : [code.captureTimeUs]));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  console.info(`widths in order: ${widths().join(', ')}; ${times.length} of ${pictures.length} bar codes read`);
});
