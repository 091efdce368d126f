import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { JanusSignaller } from '../../src/signalling/janus/janus-signaller.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { launchBrowser, openPage } from '../support/browser.js';
import { JANUS_PIN, JANUS_ROOM, JanusServer } from '../support/janus-server.js';
import { addRecorder, type RecordedPicture, recording, startRecording } from '../support/recorded-pictures.js';
import { Serving } from '../support/serving.js';

const VIEWER = fileURLToPath(new URL('../support/janus-viewer.js', import.meta.url));
const CAMERA_ID = 7;
/** Three encoders, the SFU and a decoder share two cores. */
const SIZE = { width: 640, height: 480 };
const FRAMERATE = 15;
/** Enough for all three encodings. */
const BITRATE_BPS = 2_000_000;
const ENCODINGS = [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'q', scaleResolutionDownBy: 4 }];
const WIDTHS = { f: 640, h: 320, q: 160 };
/** Pictures of an encoding that are looked at. */
const PICTURES = 20;
/** Half a minute in all. */
const ATTEMPTS = 300;
const ATTEMPT_INTERVAL_MS = 100;

const clock = new SystemClock();
/** Where the page comes from: browsers let only pages of this machine connect to it. */
const origin = createServer((_, response) => response.end());
let browser: Browser;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  await once(origin.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  await browser.close();
  origin.close();
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A sender with one camera that is sent as simulcast, and is fed. */
async function simulcastCamera(codec: VideoCodec): Promise<RtcSender> {
  const sender = createSender({ clock, startBitrateBps: BITRATE_BPS, congestionControl: 'fixed' });
  ends.push(() => sender.close());
  await sender.addVideoTrack({ id: 'front', codec, ...SIZE, framerate: FRAMERATE, encodings: ENCODINGS });
  const source = new TestPatternSource({ ...SIZE, framerate: FRAMERATE, label: 'front', cameraId: CAMERA_ID, clock });
  ends.push(() => source.stop());
  await source.start({ frame: (frame) => void sender.sendFrame('front', frame), ended: () => undefined });
  return sender;
}

/** Waits until the page has decoded so many pictures of this width on end, and returns them. */
async function picturesOf(page: Page, width: number): Promise<readonly RecordedPicture[]> {
  for (let attempt = 0; ; attempt += 1) {
    const { decoded } = await recording(page);
    const from = decoded.findLastIndex((picture) => picture.width !== width) + 1;
    const pictures = decoded.slice(from);
    if (pictures.length >= PICTURES) return pictures;
    if (attempt === ATTEMPTS) {
      const widths = [...new Set(decoded.map((picture) => picture.width))].join(', ');
      throw new Error(`no ${PICTURES} pictures of width ${width}; there were ${widths}`);
    }
    await page.waitForTimeout(ATTEMPT_INTERVAL_MS);
  }
}

/** Pictures must be whole, of one camera, and in order; one that a switch cost may be missing. */
function expectWhole(pictures: readonly RecordedPicture[], cameraId = CAMERA_ID): void {
  expect(pictures.filter(({ code }) => code?.cameraId !== cameraId)).toEqual([]);
  const times = pictures.map(({ code }) => code?.captureTimeUs ?? 0);
  expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
}

/** A page that subscribes to the first camera of the room of Janus, and records it. */
async function subscribe(janus: JanusServer): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  const { port } = origin.address() as AddressInfo;
  const opened = await openPage(browser, `http://127.0.0.1:${port}/`, async (opening) => {
    await opening.addInitScript({ path: VIEWER });
    await addRecorder(opening);
  });
  ends.push(() => opened.page.close());
  await opened.page.evaluate(`watchRoom(${JSON.stringify(janus.url)}, ${JANUS_ROOM}, ${JSON.stringify(JANUS_PIN)})`);
  await startRecording(opened.page, '0');
  return opened;
}

describe.each(['vp8', 'h264'] as const)('Janus, of a camera in three encodings of %s,', (codec) => {
  it('forwards the encoding that a subscriber takes, each with every bar code whole', async () => {
    const janus = await new JanusServer().start();
    ends.push(() => janus.dispose());
    const sender = await simulcastCamera(codec);
    await sender.connect(new JanusSignaller({ url: janus.url, room: JANUS_ROOM, pin: JANUS_PIN, clock }));
    const { encodings = [] } = sender.getTrackStats('front');
    expect(encodings.map(({ rid, active }) => [rid, active])).toEqual([
      ['f', true],
      ['h', true],
      ['q', true],
    ]);
    const { page, errors } = await subscribe(janus);
    for (const [substream, rid] of [
      [2, 'f'],
      [0, 'q'],
      [1, 'h'],
      [2, 'f'],
    ] as const) {
      await page.evaluate(`takeSubstream('0', ${substream})`);
      expectWhole(await picturesOf(page, WIDTHS[rid]));
    }
    expect(errors).toEqual([]);
  });
});

describe('Janus, of a camera of the service in three encodings,', () => {
  it('forwards the encoding that a subscriber takes, and the service tells what it sends of each', async () => {
    const janus = await new JanusServer().start();
    ends.push(() => janus.dispose());
    const serving = await new Serving()
      .configure(
        '  - id: robot',
        `    sfu: { janus: { url: "${janus.url}", room: ${JANUS_ROOM}, pin: "${JANUS_PIN}" } }`,
        `    bitrateBps: ${BITRATE_BPS}`,
        '    congestionControl: fixed',
        '    tracks:',
        '      - id: front',
        `        source: "test:${SIZE.width}x${SIZE.height}@${FRAMERATE}"`,
        `        encodings: ${JSON.stringify(ENCODINGS)}`,
      )
      .start();
    ends.push(() => serving.dispose());
    const client = serving.client();
    await expect.poll(() => client.ready(), { timeout: 40_000, interval: ATTEMPT_INTERVAL_MS }).toBe(true);
    const { generation, encodings } = await client.track('robot', 'front');
    expect(encodings).toEqual([
      { rid: 'f', active: true, width: 640, height: 480 },
      { rid: 'h', active: true, width: 320, height: 240 },
      { rid: 'q', active: true, width: 160, height: 120 },
    ]);
    const { page, errors } = await subscribe(janus);
    for (const [substream, rid] of [
      [0, 'q'],
      [1, 'h'],
      [2, 'f'],
    ] as const) {
      await page.evaluate(`takeSubstream('0', ${substream})`);
      // The bar codes of its test pattern bear its generation.
      expectWhole(await picturesOf(page, WIDTHS[rid]), generation);
    }
    const { tracks } = await client.stats('robot');
    expect(tracks[0]?.encodings?.map(({ frameWidth }) => frameWidth)).toEqual([640, 320, 160]);
    const { allocation } = await client.allocation('robot');
    const granted = allocation.grants[0]?.encodings ?? [];
    expect(granted.map(({ rid, paused }) => [rid, paused])).toEqual([
      ['f', false],
      ['h', false],
      ['q', false],
    ]);
    expect(granted.reduce((sum, { targetBps }) => sum + targetBps, 0)).toBe(BITRATE_BPS);
    expect(errors).toEqual([]);
  });
});

describe('the page of the loopback SFU, of a camera in three encodings,', () => {
  it('shows the one that its address names, and then the one that its viewer chooses', async () => {
    const sfu = new LoopbackSfu({ port: 0 });
    const { url } = await sfu.start();
    ends.push(() => sfu.close());
    const sender = await simulcastCamera('vp8');
    await sender.connect(new WhipSignaller({ url: `${url}/whip/demo` }));
    const { page, errors } = await openPage(browser, `${url}/?rid=h`, addRecorder);
    ends.push(() => page.close());
    await page.waitForSelector('[data-track-id="front"] video');
    for (let decoded = 0; decoded === 0; ) decoded = await page.evaluate('framelockStats()[0]?.framesDecoded ?? 0');
    await startRecording(page, 'front');
    expectWhole(await picturesOf(page, WIDTHS.h));
    for (const rid of ['q', 'f'] as const) {
      await page.selectOption('[data-track-id="front"] [data-action="layer"]', rid);
      expectWhole(await picturesOf(page, WIDTHS[rid]));
    }
    expect(errors).toEqual([]);
  });
});
