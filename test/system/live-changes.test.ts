import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { CameraSize } from '../../src/loopback/status.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { Camera } from '../../src/service/camera.js';
import { createSender } from '../../src/service/create-sender.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { camerasBeyond, launchBrowser, openPage, pageCameras, pageCamerasUntil } from '../support/browser.js';
import { DueFrames } from '../support/due-frames.js';
import { addRecorder, type RecordedPicture, recording, startRecording } from '../support/recorded-pictures.js';

const ID = 'front';
const CAMERA_ID = 7;
const CODECS: readonly VideoCodec[] = ['vp8', 'vp9', 'h264', 'av1'];
const FULL = { width: 1280, height: 720 };
const SMALL = { width: 640, height: 360 };
/** Encoder, SFU and browser share two cores with AV1 in software. */
const FRAMERATE = 20;
/** A key frame fits into the kernel's receive buffer: sender and SFU share a thread here, so that none of it is read while it is written. */
const BITRATE_BPS = 1_500_000;
/** Pictures seen between two changes. */
const PICTURES = 30;

const clock = new SystemClock();
let browser: Browser;
let sfu: LoopbackSfu;
let sender: RtcSender;
let camera: Camera;
let due: DueFrames;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

afterEach(async () => {
  await camera.stop();
  await sender.close();
  await sfu.close();
});

/** Publishes a camera, and opens a page that plays and records it. */
async function play(codec: VideoCodec): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  sfu = new LoopbackSfu({ port: 0 });
  const { url } = await sfu.start();
  sender = createSender({ clock, startBitrateBps: BITRATE_BPS, congestionControl: 'fixed' });
  due = new DueFrames(sender, ID, CAMERA_ID);
  const source = (size: CameraSize) =>
    new TestPatternSource({ ...size, framerate: FRAMERATE, label: ID, cameraId: CAMERA_ID, clock });
  const resizable = { sizes: [FULL, SMALL], source };
  const spec = { trackId: ID, codec, alternativeCodecs: CODECS, source: source(FULL), resizable };
  camera = new Camera(spec, sender, silentLogger);
  await camera.startSource();
  await camera.addTrack();
  await sender.connect(new WhipSignaller({ url: `${url}/whip/demo`, clock }));
  const { page, errors } = await openPage(browser, url, addRecorder);
  await camerasBeyond(page, [ID], PICTURES);
  await startRecording(page, ID);
  await morePictures(page);
  return { page, errors };
}

async function morePictures(page: Page): Promise<void> {
  const [now] = await pageCameras(page);
  await camerasBeyond(page, [ID], (now?.framesDecoded ?? 0) + PICTURES);
}

/** The widths of pictures one after the other, each run of equal ones once. */
function widthsOf(pictures: readonly RecordedPicture[]): readonly number[] {
  return pictures.map(({ width }) => width).filter((width, index, widths) => width !== widths[index - 1]);
}

describe('a browser that plays a camera through the loopback SFU', () => {
  it('gets every picture of an H.264 camera, whole and in order', async () => {
    const { page, errors } = await play('h264');
    await morePictures(page);
    const [shown] = await pageCameras(page);
    const { decoded, painted } = await recording(page);
    await page.close();
    expect(shown).toMatchObject({ codec: 'H264', ...FULL });
    const times = due.timesOf(decoded);
    expect(due.timesOf(painted).length).toBeGreaterThan(0);
    expect(times.length).toBeGreaterThanOrEqual(2 * PICTURES - 1);
    expect(due.missing(times, [])).toEqual([0]);
    expect(errors).toEqual([]);
  });

  it('gets the codec that flows when it comes late', async () => {
    const { page: early, errors } = await play('vp8');
    for (const codec of ['av1', 'vp9'] as const) {
      await sender.reconfigureTrack(ID, { codec });
      const { page: late, errors: lateErrors } = await openPage(browser, early.url(), addRecorder);
      await camerasBeyond(late, [ID], 1);
      await startRecording(late, ID);
      await morePictures(late);
      const [shown] = await pageCameras(late);
      const { decoded } = await recording(late);
      await late.close();
      expect(shown?.codec).toBe(codec.toUpperCase());
      expect(due.timesOf(decoded).length).toBeGreaterThanOrEqual(PICTURES - 1);
      expect(lateErrors).toEqual([]);
    }
    await early.close();
    expect(errors).toEqual([]);
  });

  it('goes through VP8, VP9, H.264, AV1 and VP8, and to another size and back, with one picture lost to each change at the most', async () => {
    const { page, errors } = await play('vp8');
    const changedAtUs: number[] = [];
    for (const codec of ['vp9', 'h264', 'av1', 'vp8'] as const) {
      changedAtUs.push(clock.nowUs());
      await sender.reconfigureTrack(ID, { codec });
      await pageCamerasUntil(page, `a picture of ${codec}`, ([shown]) => shown?.codec === codec.toUpperCase());
      await morePictures(page);
    }
    for (const size of [SMALL, FULL]) {
      changedAtUs.push(clock.nowUs());
      await camera.resize(size);
      await pageCamerasUntil(page, `a picture ${size.width} wide`, ([shown]) => shown?.width === size.width);
      await morePictures(page);
    }
    const { decoded, painted } = await recording(page);
    await page.close();
    const times = due.timesOf(decoded);
    const lost = due.missing(times, changedAtUs);
    console.info(
      `${times.length} pictures, of which ${painted.length} painted; missing between changes: ${lost.join(', ')}`,
    );
    expect(widthsOf(decoded)).toEqual([FULL.width, SMALL.width, FULL.width]);
    expect(Math.max(...lost)).toBeLessThanOrEqual(1);
    due.timesOf(painted);
    expect(widthsOf(painted)).toEqual([FULL.width, SMALL.width, FULL.width]);
    expect(errors).toEqual([]);
  });
});
