import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { launchBrowser, openPage } from '../support/browser.js';
import { DueFrames } from '../support/due-frames.js';
import { addRecorder, recording, startRecording } from '../support/recorded-pictures.js';
import { amplitudeAt, dominantFrequencyHz, TONE_PEAK, Tone } from '../support/sound.js';

const PEER = fileURLToPath(new URL('../support/direct-peer.js', import.meta.url));
const CAMERA_ID = 7;
const SAMPLE_RATE = 48_000;
const TONE_HZ = 440;
/** Pictures seen between two changes. */
const PICTURES = 30;
/** Half a minute in all. */
const ATTEMPTS = 300;
const ATTEMPT_INTERVAL_MS = 100;

/** What the browser's receiver tells of one kind of media. */
interface Inbound {
  /** As `video/VP8`. */
  readonly codec: string;
  readonly framesDecoded: number;
  readonly totalSamplesReceived: number;
  readonly concealedSamples: number;
  readonly totalAudioEnergy: number;
}

const clock = new SystemClock();
let browser: Browser;
let page: Page;
let errors: readonly string[];
let sender: RtcSender;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  const prepare = async (opened: Page) => {
    await opened.addInitScript({ path: PEER });
    await addRecorder(opened);
  };
  ({ page, errors } = await openPage(browser, 'about:blank', prepare));
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await sender.close();
  await page.close();
});

/** The browser itself is the peer. */
function connect(): Promise<void> {
  return sender.connect((offer) => page.evaluate(`answer(${JSON.stringify(offer)})`));
}

/** Waits until what the browser tells of one kind of media satisfies a condition, and returns it. */
async function inboundUntil(kind: 'audio' | 'video', satisfied: (inbound: Inbound) => boolean): Promise<Inbound> {
  for (let attempt = 0; ; attempt += 1) {
    const inbound: Inbound = await page.evaluate(`inbound('${kind}')`);
    if (satisfied(inbound)) return inbound;
    if (attempt === ATTEMPTS) throw new Error(`it did not come to that: ${JSON.stringify(inbound)}`);
    await page.waitForTimeout(ATTEMPT_INTERVAL_MS);
  }
}

/** Plays a tone into the track `mic` until the test ends. */
function playTone(): void {
  const tone = new Tone({ frequenciesHz: [TONE_HZ], startUs: clock.nowUs() });
  let dueUs = clock.nowUs();
  const timer = setInterval(() => {
    for (; dueUs <= clock.nowUs(); dueUs += 10_000) sender.sendAudio('mic', tone.next(SAMPLE_RATE / 100));
  }, 10);
  ends.push(async () => clearInterval(timer));
}

describe.each([
  ['fixed', 'werift'],
  ['goog-cc', 'werift'],
  ['goog-cc', 'node-datachannel'],
] as const)(
  'a browser as the peer of a sender, with congestion control %s, over %s,',
  (congestionControl, transport) => {
    beforeEach(() => {
      const rates = { startBitrateBps: 1_500_000, maxBitrateBps: 3_000_000 };
      sender = createSender({ clock, ...rates, congestionControl, transport });
    });

    it('hears a tone that was sent as Opus', async () => {
      await sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
      await connect();
      playTone();
      const seconds = (count: number) => (inbound: Inbound) => inbound.totalSamplesReceived > count * SAMPLE_RATE;
      const before = await inboundUntil('audio', seconds(1));
      const after = await inboundUntil('audio', seconds(3));
      expect(after.codec).toBe('audio/opus');
      // A tone of amplitude a has the energy a^2 / 2 a second (W3C webrtc-stats, totalAudioEnergy).
      expect(after.totalAudioEnergy - before.totalAudioEnergy).toBeGreaterThan(TONE_PEAK ** 2 / 2);
      const samples: number[] = await page.evaluate('heardSamples()');
      expect(samples).toHaveLength(SAMPLE_RATE);
      // On a busy machine the receiver stretches the sound here and there, which breaks the phase.
      const tenths = Array.from({ length: 10 }, (_, index) => samples.slice(index * 4800, (index + 1) * 4800));
      const [clearest = []] = tenths.toSorted((a, b) => amplitudeAt(b, TONE_HZ) - amplitudeAt(a, TONE_HZ));
      expect(dominantFrequencyHz(clearest)).toBe(TONE_HZ);
      expect(amplitudeAt(clearest, TONE_HZ)).toBeGreaterThan(TONE_PEAK / 2);
      expect(errors).toEqual([]);
    });

    it('agrees to four codecs, and sees a camera go through them, with one picture lost to each change at the most', async () => {
      const due = new DueFrames(sender, 'front', CAMERA_ID);
      const size = { width: 640, height: 360 };
      await sender.addVideoTrack({ id: 'front', ...size, alternativeCodecs: ['vp9', 'h264', 'av1'] });
      await sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
      await connect();
      playTone();
      const source = new TestPatternSource({ ...size, framerate: 30, label: 'front', cameraId: CAMERA_ID, clock });
      ends.push(() => source.stop());
      await source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => undefined });
      const morePictures = async (codec: string) => {
        const now = await inboundUntil('video', (inbound) => inbound.codec === `video/${codec.toUpperCase()}`);
        await inboundUntil('video', ({ framesDecoded }) => framesDecoded > now.framesDecoded + PICTURES);
      };
      await morePictures('vp8');
      await startRecording(page, 'video');
      await morePictures('vp8');
      const changedAtUs: number[] = [];
      for (const codec of ['vp9', 'h264', 'av1', 'vp8'] as const) {
        changedAtUs.push(clock.nowUs());
        await sender.reconfigureTrack('front', { codec });
        await morePictures(codec);
      }
      const { decoded, painted } = await recording(page);
      const times = due.timesOf(decoded);
      const lost = due.missing(times, changedAtUs);
      console.info(`${times.length} pictures, ${painted.length} painted; missing between changes: ${lost.join(', ')}`);
      expect(Math.max(...lost)).toBeLessThanOrEqual(1);
      due.timesOf(painted);
      expect(errors).toEqual([]);
    });
  },
);
