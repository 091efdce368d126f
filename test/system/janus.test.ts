import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { TRANSPORT_NAMES, type TransportName } from '../../src/service/transport-choice.js';
import { JanusSignaller } from '../../src/signalling/janus/janus-signaller.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { launchBrowser, openPage } from '../support/browser.js';
import { DueFrames } from '../support/due-frames.js';
import { JANUS_PIN, JANUS_ROOM, JanusServer } from '../support/janus-server.js';
import { TcpProxy } from '../support/network/tcp-proxy.js';
import { Program } from '../support/program.js';
import { addRecorder, recording, startRecording } from '../support/recorded-pictures.js';
import { eventually } from '../transport/wrtc-peer.js';

const VIEWER = fileURLToPath(new URL('../support/janus-viewer.js', import.meta.url));
const CODECS: readonly VideoCodec[] = ['vp8', 'h264', 'vp9', 'av1'];
/** Four encoders, Janus and four decoders share two cores. */
const SIZE = { width: 320, height: 240 };
const FRAMERATE = 15;
/** Pictures seen between two changes. */
const PICTURES = 30;
/** Half a minute in all. */
const ATTEMPTS = 300;
const ATTEMPT_INTERVAL_MS = 100;

/** What a browser receives of one m-line of the publisher. */
interface Received {
  readonly mid: string;
  /** As `video/VP8`. */
  readonly codec: string;
  readonly framesDecoded: number;
}

/** A camera that is fed, and what is due of it. */
interface Camera {
  readonly due: DueFrames;
  readonly source: TestPatternSource;
}

const clock = new SystemClock();
/** Where the page comes from: browsers let only pages of this machine connect to it. */
const origin = createServer((_, response) => response.end());
let browser: Browser;
let janus: JanusServer;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  await once(origin.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  await browser.close();
  origin.close();
});

beforeEach(async () => {
  janus = await new JanusServer().start();
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await janus.dispose();
});

function signaller(options: { readonly room?: number | string; readonly pin?: string } = { pin: JANUS_PIN }) {
  return new JanusSignaller({ url: janus.url, room: JANUS_ROOM, ...options, clock });
}

function sender(transport: TransportName = 'werift'): RtcSender {
  const made = createSender({ clock, transport, startBitrateBps: 1_500_000 });
  ends.push(() => made.close());
  return made;
}

/** Adds a camera that shows a test pattern, and begins to feed it. */
async function addCamera(to: RtcSender, codec: VideoCodec, cameraId: number): Promise<Camera> {
  const due = new DueFrames(to, codec, cameraId);
  await to.addVideoTrack({ id: codec, codec, ...SIZE, framerate: FRAMERATE });
  const source = new TestPatternSource({ ...SIZE, framerate: FRAMERATE, label: codec, cameraId, clock });
  ends.push(() => source.stop());
  await source.start({ frame: (frame) => void to.sendFrame(codec, frame), ended: () => undefined });
  return { due, source };
}

/** A robot with a camera that speaks to Janus by way of a proxy, and the states that it has been in since it was connected. */
async function publishByProxy() {
  const proxy = await TcpProxy.to(new URL(janus.url).host);
  ends.push(() => proxy.close());
  const robot = sender();
  const { due, source } = await addCamera(robot, 'vp8', 1);
  const signalling = new JanusSignaller({ url: `ws://${proxy.address}`, room: JANUS_ROOM, pin: JANUS_PIN, clock });
  const told: string[] = [];
  const watch = signalling.watch.bind(signalling);
  signalling.watch = (lost) =>
    watch((reason) => {
      told.push(reason);
      lost(reason);
    });
  await robot.connect(signalling);
  const states: string[] = [];
  robot.on('connectionState', ({ state }) => void states.push(state));
  return { robot, due, source, proxy, states, told, signalling };
}

/** A page that shows what is published in the room. */
async function watch(): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  const { port } = origin.address() as AddressInfo;
  const opened = await openPage(browser, `http://127.0.0.1:${port}/`, async (page) => {
    await page.addInitScript({ path: VIEWER });
    await addRecorder(page);
  });
  ends.push(() => opened.page.close());
  await opened.page.evaluate(`watchRoom(${JSON.stringify(janus.url)}, ${JANUS_ROOM}, ${JSON.stringify(JANUS_PIN)})`);
  return opened;
}

/** Asks the page again and again until what it says satisfies a condition, and returns that. */
async function until<T>(page: Page, question: string, satisfied: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const answer: T = await page.evaluate(question);
    if (satisfied(answer)) return answer;
    if (attempt === ATTEMPTS) throw new Error(`${question}: it did not come to that: ${JSON.stringify(answer)}`);
    await page.waitForTimeout(ATTEMPT_INTERVAL_MS);
  }
}

/** Waits until the page has decoded more pictures of an m-line, and returns what it receives of it. */
async function morePictures(page: Page, mid: string): Promise<Received | undefined> {
  const of = (received: readonly Received[]) => received.find((candidate) => candidate.mid === mid);
  const before = of(await page.evaluate('received()'))?.framesDecoded ?? 0;
  const enough = (all: readonly Received[]) => (of(all)?.framesDecoded ?? 0) > before + PICTURES;
  return of(await until<readonly Received[]>(page, 'received()', enough));
}

describe('Janus and a browser that watches its room', () => {
  it.each(TRANSPORT_NAMES)(
    'get every picture of four cameras with a codec each over %s, whole and in order, and nothing is left in the room',
    async (transport) => {
      const robot = sender(transport);
      const cameras: Camera[] = [];
      for (const [index, codec] of CODECS.entries()) cameras.push(await addCamera(robot, codec, index + 1));
      const signalling = signaller();
      await robot.connect(signalling);
      for (const codec of CODECS) expect(robot.getTrackStats(codec).rtxSsrc).toBeGreaterThan(0);
      const { page, errors } = await watch();
      for (const [index, codec] of CODECS.entries()) {
        const mid = String(index);
        await morePictures(page, mid);
        await startRecording(page, mid);
        const shown = await morePictures(page, mid);
        const { decoded } = await recording(page);
        expect(shown?.codec).toBe(`video/${codec.toUpperCase()}`);
        const times = cameras[index]?.due.timesOf(decoded) ?? [];
        expect(times.length).toBeGreaterThanOrEqual(PICTURES - 1);
        expect(cameras[index]?.due.missing(times, [])).toEqual([0]);
      }
      expect(await page.evaluate(`othersInRoom(${JANUS_ROOM})`)).toBe(1);
      await Promise.all(cameras.map(({ source }) => source.stop()));
      await robot.close();
      expect(await signalling.close()).toEqual({ confirmed: true });
      expect(signalling.lateCompletions).toEqual({});
      expect(await page.evaluate(`othersInRoom(${JANUS_ROOM})`)).toBe(0);
      expect(errors).toEqual([]);
    },
  );

  it('see a camera come and go and come back, while another loses no picture', async () => {
    const robot = sender();
    const states: string[] = [];
    const { due: front } = await addCamera(robot, 'vp8', 1);
    await robot.connect(signaller());
    robot.on('connectionState', ({ state }) => void states.push(state));
    const { page, errors } = await watch();
    await morePictures(page, '0');
    await startRecording(page, '0');
    for (const round of [1, 2]) {
      const { source } = await addCamera(robot, 'h264', 1 + round);
      await morePictures(page, '1');
      await source.stop();
      await robot.removeTrack('h264');
      await until<number>(page, 'publishedStreams()', (count) => count === 1);
      await morePictures(page, '0');
    }
    const { decoded } = await recording(page);
    const times = front.timesOf(decoded);
    expect(times.length).toBeGreaterThanOrEqual(4 * PICTURES);
    expect(front.missing(times, [])).toEqual([0]);
    expect(states).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('lose no picture when the socket breaks and Janus keeps the session, which is claimed by another one', async () => {
    await janus.dispose();
    janus = await new JanusServer(undefined, { reclaimSessionTimeoutS: 20 }).start();
    const { robot, due, source: filming, proxy, states, signalling } = await publishByProxy();
    const { page, errors } = await watch();
    await morePictures(page, '0');
    const { sessions } = janus;
    await startRecording(page, '0');
    for (const round of [1, 2]) {
      proxy.cut();
      await morePictures(page, '0');
      await eventually(() => proxy.accepted === 1 + round, 'another socket', 5000);
    }
    const { source } = await addCamera(robot, 'h264', 2);
    await morePictures(page, '1');
    const { decoded } = await recording(page);
    const times = due.timesOf(decoded);
    expect(times.length).toBeGreaterThanOrEqual(3 * PICTURES);
    expect(due.missing(times, [])).toEqual([0]);
    expect(states).toEqual([]);
    expect(janus.sessions).toBe(sessions);
    await Promise.all([source.stop(), filming.stop()]);
    await robot.close();
    expect(await signalling.close()).toEqual({ confirmed: true });
    expect(errors).toEqual([]);
  });

  it('tell the robot why its session is gone when the socket breaks and Janus keeps none, as by default', async () => {
    const { robot, proxy, told } = await publishByProxy();
    proxy.cut();
    // Its media ends at the same time: either may be heard of first.
    await eventually(() => robot.state === 'failed' && told.length > 0, 'the loss', 5000);
    expect(told).toEqual([expect.stringContaining('refused to let us have the session again, with code 458')]);
  });

  it('get pictures again after Janus was killed and started again, from the command', async () => {
    const room = ['--janus', janus.url, '--room', String(JANUS_ROOM)];
    const source = ['--source', 'test:320x240@15'];
    const publisher = new Program(['publish', ...source, ...room, '--json'], { FRAMELOCK_PIN: JANUS_PIN });
    ends.push(() => publisher.kill());
    await publisher.printed(/"state":"connected".*"framesSent":[1-9]/);
    const { page } = await watch();
    await morePictures(page, '0');
    await janus.kill();
    await publisher.printed(/"state":"(failed|disconnected|connecting)"/);
    await janus.start();
    const back = performance.now();
    await publisher.printed(/"state":"(?:failed|disconnected|connecting)"[\s\S]*"state":"connected"/);
    console.info(`publishing again ${Math.round(performance.now() - back)} ms after Janus was back`);
    const { page: again } = await watch();
    await morePictures(again, '0');
    expect(await publisher.signal('SIGINT')).toEqual({ code: 0, signal: null });
    await until<number>(again, `othersInRoom(${JANUS_ROOM})`, (count) => count === 0);
  });
});

describe('Janus refuses', () => {
  it.each([
    [426, { room: 99, pin: JANUS_PIN }],
    [429, {}],
    [430, { room: 'garage', pin: JANUS_PIN }],
    [433, { pin: 'wrong' }],
  ])('with code %i to let one join with %j', async (janusCode, options) => {
    const signalling = signaller(options);
    await expect(signalling.offer('v=0\r\n')).rejects.toMatchObject({
      code: 'SIGNALLING_REJECTED',
      context: { janusCode, refusedBy: 'plugin' },
    });
    expect(await signalling.close()).toEqual({ confirmed: true });
  });

  it('an offer that is none', async () => {
    const signalling = signaller();
    await expect(signalling.offer('nonsense')).rejects.toMatchObject({
      code: 'SIGNALLING_REJECTED',
      context: { janusCode: 465, refusedBy: 'janus' },
    });
    expect(await signalling.close()).toEqual({ confirmed: true });
  });
});
