import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import type { EncodingSpec } from '../../src/sender/tracks/encodings.js';
import { createSender } from '../../src/service/create-sender.js';
import { LiveKitSignaller } from '../../src/signalling/livekit/livekit-signaller.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { launchBrowser, openPage } from '../support/browser.js';
import { DueFrames } from '../support/due-frames.js';
import { LiveKitObserver } from '../support/livekit-observer.js';
import { hasLiveKit, LiveKitServer } from '../support/livekit-server.js';
import { TcpProxy } from '../support/network/tcp-proxy.js';
import { addRecorder, type RecordedPicture, recording, startRecording } from '../support/recorded-pictures.js';
import { until } from '../support/sfu/sfu-site.js';
import { eventually } from '../transport/wrtc-peer.js';

const VIEWER = fileURLToPath(new URL('../support/livekit-viewer.js', import.meta.url));
/** Encoders, SFU and decoder share two cores. */
const SIZE = { width: 640, height: 480 };
const FRAMERATE = 15;
const PICTURES = 20;
const ENCODINGS: readonly EncodingSpec[] = [
  { rid: 'large' },
  { rid: 'medium', scaleResolutionDownBy: 2 },
  { rid: 'small', scaleResolutionDownBy: 4 },
];
/** By how LiveKit numbers them. */
const WIDTHS = [160, 320, 640];
const RIDS = ['small', 'medium', 'large'];

const clock = new SystemClock();
/** Where the page comes from: browsers let only pages of this machine connect to it. */
const origin = createServer((_, response) => response.end());
let browser: Browser;
let server: LiveKitServer;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  await once(origin.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  await browser.close();
  origin.close();
});

beforeEach(async () => {
  if (!hasLiveKit) return;
  server = await new LiveKitServer({ address: '127.0.0.1' }).start();
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  if (hasLiveKit) await server.kill();
});

function signaller(token = server.token('robot', true), host = server.host): LiveKitSignaller {
  return new LiveKitSignaller({ url: `ws://${host}`, token, clock });
}

function sender(): RtcSender {
  const made = createSender({ clock, startBitrateBps: 2_000_000, congestionControl: 'fixed' });
  ends.push(() => made.close());
  return made;
}

/** Adds a camera that shows a test pattern, and begins to feed it. */
async function addCamera(
  to: RtcSender,
  id: string,
  camera: { readonly codec: VideoCodec; readonly cameraId: number; readonly encodings?: readonly EncodingSpec[] },
): Promise<{ readonly due: DueFrames; readonly source: TestPatternSource }> {
  const { codec, cameraId, encodings } = camera;
  const due = new DueFrames(to, id, cameraId);
  // LiveKit takes from all m-lines no codecs but those of the first.
  const alternativeCodecs: VideoCodec[] = codec === 'vp8' ? ['h264'] : ['vp8'];
  await to.addVideoTrack({
    id,
    codec,
    alternativeCodecs,
    ...SIZE,
    framerate: FRAMERATE,
    ...(encodings === undefined ? {} : { encodings }),
  });
  const source = new TestPatternSource({ ...SIZE, framerate: FRAMERATE, label: id, cameraId, clock });
  ends.push(() => source.stop());
  await source.start({ frame: (frame) => void to.sendFrame(id, frame), ended: () => undefined });
  return { due, source };
}

async function observe(): Promise<LiveKitObserver> {
  const observer = await LiveKitObserver.open(server);
  ends.push(() => observer.close());
  return observer;
}

/** A page that shows what is published in the room. */
async function watch(): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  const { port } = origin.address() as AddressInfo;
  const opened = await openPage(browser, `http://127.0.0.1:${port}/`, async (page) => {
    await page.addInitScript({ path: VIEWER });
    await addRecorder(page);
  });
  ends.push(() => opened.page.close());
  const token = server.token('driver', false);
  await opened.page.evaluate(`watchRoom(${JSON.stringify(server.host)}, ${JSON.stringify(token)})`);
  return opened;
}

interface Received {
  readonly mid: string;
  readonly framesDecoded: number;
}

/** Waits until the page has decoded so many more pictures of a track. A browser names one that comes back as the one that went. */
async function morePictures(page: Page, isIt: (track: Received) => boolean): Promise<void> {
  const of = (all: readonly Received[]) => all.find(isIt)?.framesDecoded ?? 0;
  const before = of(await page.evaluate('received()'));
  await until<readonly Received[]>(page, 'received()', (all) => of(all) > before + PICTURES);
}

/** Waits until the page has decoded so many pictures of this width on end, and returns them. */
async function picturesOf(page: Page, width: number): Promise<readonly RecordedPicture[]> {
  let pictures: readonly RecordedPicture[] = [];
  await eventually(
    async () => {
      const { decoded } = await recording(page);
      pictures = decoded.slice(decoded.findLastIndex((picture) => picture.width !== width) + 1);
      return pictures.length >= PICTURES;
    },
    `pictures of width ${width}`,
    30_000,
  );
  return pictures;
}

async function published(observer: LiveKitObserver, name: string) {
  const track = () => observer.tracks.find((candidate) => candidate.name === name);
  await eventually(() => track() !== undefined, `${name} to be published`, 20_000);
  return track();
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.skipIf(!hasLiveKit)('LiveKit by its own signalling', () => {
  it('shows cameras that come and go and come back, by their names and sizes, while another loses no picture', async () => {
    const robot = sender();
    const states: string[] = [];
    const { due: front, source: filming } = await addCamera(robot, 'front', { codec: 'vp8', cameraId: 1 });
    const observer = await observe();
    const signalling = signaller();
    await robot.connect(signalling);
    robot.on('connectionState', ({ state }) => void states.push(state));
    const { sid = '' } = (await published(observer, 'front')) ?? {};
    const { page, errors } = await watch();
    const isFront = ({ mid }: Received) => mid === sid;
    await morePictures(page, isFront);
    await startRecording(page, sid);
    for (const round of [1, 2]) {
      const { source } = await addCamera(robot, 'rear', { codec: 'h264', cameraId: 1 + round });
      const rear = await published(observer, 'rear');
      expect(rear).toMatchObject({ ...SIZE, source: 1, mimeType: expect.stringMatching(/h264/i) });
      await morePictures(page, ({ mid }) => mid !== sid);
      await source.stop();
      await robot.removeTrack('rear');
      await eventually(() => observer.tracks.length === 1, 'the rear camera to be gone', 10_000);
      await morePictures(page, isFront);
    }
    const { decoded } = await recording(page);
    const times = front.timesOf(decoded);
    expect(times.length).toBeGreaterThanOrEqual(4 * PICTURES);
    expect(front.missing(times, [])).toEqual([0]);
    expect(states).toEqual([]);
    expect(errors).toEqual([]);
    await filming.stop();
    await robot.close();
    expect(await signalling.close()).toEqual({ confirmed: true });
    await eventually(() => !observer.identities.includes('robot'), 'the robot to have left', 5000);
  });

  it('loses no picture when the socket breaks: the participant and its tracks go on by another one', async () => {
    const proxy = await TcpProxy.to(server.host);
    ends.push(() => proxy.close());
    const robot = sender();
    const states: string[] = [];
    const { due, source: filming } = await addCamera(robot, 'front', { codec: 'vp8', cameraId: 1 });
    const observer = await observe();
    const signalling = signaller(undefined, proxy.address);
    await robot.connect(signalling);
    robot.on('connectionState', ({ state }) => void states.push(state));
    const { sid = '' } = (await published(observer, 'front')) ?? {};
    const { page, errors } = await watch();
    const isFront = ({ mid }: Received) => mid === sid;
    await morePictures(page, isFront);
    const { sessions } = server;
    await startRecording(page, sid);
    for (const round of [1, 2]) {
      proxy.cut();
      await morePictures(page, isFront);
      await eventually(() => proxy.accepted >= 1 + round, 'another socket', 5000);
    }
    const { source } = await addCamera(robot, 'rear', { codec: 'h264', cameraId: 2 });
    await published(observer, 'rear');
    expect(observer.tracks.find(({ name }) => name === 'front')?.sid).toBe(sid);
    const { decoded } = await recording(page);
    const times = due.timesOf(decoded);
    expect(times.length).toBeGreaterThanOrEqual(2 * PICTURES);
    expect(due.missing(times, [])).toEqual([0]);
    expect(states).toEqual([]);
    expect(server.sessions).toBe(sessions);
    await Promise.all([source.stop(), filming.stop()]);
    await robot.close();
    expect(await signalling.close()).toEqual({ confirmed: true });
    await eventually(() => !observer.identities.includes('robot'), 'the robot to have left', 5000);
    expect(errors).toEqual([]);
  });

  it.each(['vp8', 'h264'] as const)(
    'forwards of a camera in three encodings of %s the one that a subscriber takes, and the others pause when nobody wants them',
    async (codec) => {
      const robot = sender();
      await addCamera(robot, 'front', { codec, cameraId: 7, encodings: ENCODINGS });
      const observer = await observe();
      await robot.connect(signaller());
      const active = () => robot.getTrackStats('front').encodings?.map(({ rid, active }) => active && rid) ?? [];
      const track = await published(observer, 'front');
      expect(track?.layers.map(({ width }) => width)).toEqual(WIDTHS);
      const { page, errors } = await watch();
      await until<readonly Received[]>(page, 'received()', (all) => all.some(({ mid }) => mid === track?.sid));
      await startRecording(page, track?.sid ?? '');
      for (const quality of [2, 0, 1, 2]) {
        await page.evaluate(`takeQuality(${JSON.stringify(track?.sid)}, ${quality})`);
        const pictures = await picturesOf(page, WIDTHS[quality] ?? 0);
        expect(pictures.filter(({ code }) => code?.cameraId !== 7)).toEqual([]);
        // Smaller ones stay: LiveKit may need them when the subscriber's network is worse.
        const wanted = RIDS.slice(0, quality + 1).toReversed();
        await eventually(
          () => String(active().filter((rid) => rid !== false)) === String(wanted),
          `${wanted} to be sent, and not ${active()}`,
          20_000,
        );
      }
      await page.evaluate(`leaveTrack(${JSON.stringify(track?.sid)})`);
      await eventually(() => active().every((rid) => rid === false), 'everything to pause', 20_000);
      expect(errors).toEqual([]);
    },
  );

  it('says what is wrong with a token, and lets nobody wait', async () => {
    const robot = sender();
    await addCamera(robot, 'front', { codec: 'vp8', cameraId: 1 });
    expect(await failureOf(robot.connect(signaller('not-a-token')))).toMatchObject({
      code: 'SIGNALLING_REJECTED',
      context: { status: 401 },
    });
    expect(await failureOf(robot.connect(signaller(server.token('watcher', false))))).toMatchObject({
      code: 'SIGNALLING_REJECTED',
      context: { reason: 'NOT_ALLOWED' },
    });
  });

  it('tells a robot at once that another one has come by its name', async () => {
    const robot = sender();
    await addCamera(robot, 'front', { codec: 'vp8', cameraId: 1 });
    const signalling = signaller();
    const told: string[] = [];
    const watch = signalling.watch.bind(signalling);
    signalling.watch = (lost) =>
      watch((reason) => {
        told.push(reason);
        lost(reason);
      });
    await robot.connect(signalling);
    const other = sender();
    await addCamera(other, 'front', { codec: 'vp8', cameraId: 2 });
    await other.connect(signaller());
    // Its media ends at the same time: either may be heard of first.
    await eventually(() => robot.state === 'failed' && told.length > 0, 'to be told', 5000);
    expect(told).toEqual([expect.stringContaining('the same identity')]);
  });
});
