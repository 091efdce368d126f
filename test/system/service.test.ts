import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceClient } from '../../src/client.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { WrtcViewer } from '../loopback/wrtc-clients.js';
import { launchBrowser, openPage } from '../support/browser.js';
import { JANUS_PIN, JANUS_ROOM, JanusServer } from '../support/janus-server.js';
import { Program } from '../support/program.js';
import { addRecorder, recording, startRecording } from '../support/recorded-pictures.js';
import { CONTROL_TOKEN, Serving } from '../support/serving.js';

const JANUS_VIEWER = fileURLToPath(new URL('../support/janus-viewer.js', import.meta.url));
const WAIT = { timeout: 40_000, interval: 100 };
const CAMERAS = ['front', 'rear', 'left', 'right'] as const;
/** Comes by a reload. */
const ADDED = 'arm';
/** Eight encoders, two SFUs, a browser and a native viewer share the machine. */
const SOURCE = 'test:320x240@10';
const TIMES_A_SECOND = 20;
const SECONDS = 30;
/** Renewed three times as often by the example. */
const LEASE_MS = 1000;

/** Where the page comes from: browsers let only pages of this machine connect to it. */
const origin = createServer((_, response) => response.end());
let browser: Browser;
let janus: JanusServer;
let sfu: LoopbackSfu;
let sfuUrl: string;
let serving: Serving;
let client: ServiceClient;
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
  janus = await new JanusServer().start();
  sfu = new LoopbackSfu({ port: 0 });
  ({ url: sfuUrl } = await sfu.start());
  serving = await new Serving().configure(...publishers(CAMERAS)).start();
  client = serving.client();
  await expect.poll(() => client.ready(), WAIT).toBe(true);
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await serving.dispose();
  await sfu.close();
  await janus.dispose();
});

/** Two publishers of the same cameras, to an SFU each. */
function publishers(cameras: readonly string[]): readonly string[] {
  const tracks = `tracks: [${cameras.map((id) => `{ id: ${id}, source: "${SOURCE}" }`).join(', ')}]`;
  // The same rate whatever the load of the machine does to feedback: what is tested is who gets which part of it.
  const more = 'bitrateBps: 1600000, congestionControl: fixed';
  const room = `{ url: "${janus.url}", room: ${JANUS_ROOM}, pin: "${JANUS_PIN}" }`;
  return [
    `  - { id: robot, sfu: { whip: { url: "${sfuUrl}/whip/robot" } }, ${more}, ${tracks} }`,
    `  - { id: spare, sfu: { janus: ${room} }, ${more}, ${tracks} }`,
  ];
}

async function watchJanus(): Promise<Page> {
  const { port } = origin.address() as AddressInfo;
  const { page } = await openPage(browser, `http://127.0.0.1:${port}/`, async (opened) => {
    await opened.addInitScript({ path: JANUS_VIEWER });
    await addRecorder(opened);
  });
  ends.push(() => page.close());
  await page.evaluate(`watchRoom(${JSON.stringify(janus.url)}, ${JANUS_ROOM}, ${JSON.stringify(JANUS_PIN)})`);
  return page;
}

function program(script: string, ...args: readonly string[]): Program {
  const started = new Program(args, { FRAMELOCK_TOKEN: CONTROL_TOKEN }, script);
  ends.push(() => started.kill());
  return started;
}

/**
 * Frames that the first four cameras of a publisher have dropped, by reason. Not those that were replaced by the next one: those a busy machine has not encoded
 * in time, reload or not.
 */
async function dropped(publisher: string): Promise<Readonly<Record<string, number>>> {
  const { tracks } = await client.stats(publisher);
  const sums: Record<string, number> = {};
  for (const { framesDropped } of tracks.filter(({ trackId }) => trackId !== ADDED)) {
    for (const [reason, count] of Object.entries(framesDropped)) {
      if (reason !== 'replaced') sums[reason] = (sums[reason] ?? 0) + count;
    }
  }
  return sums;
}

describe('a service with four cameras and two SFUs', () => {
  it('divides anew 20 times a second, outlives a controller with a lease, and every camera is seen all the time', async () => {
    const viewer = await new WrtcViewer(CAMERAS.length).view(`${sfuUrl}/whep/robot`);
    ends.push(() => viewer.close());
    const page = await watchJanus();
    const mids = CAMERAS.map((_, index) => String(index));
    const decodedAtJanus = async () => {
      const received: readonly { mid: string; framesDecoded: number }[] = await page.evaluate('received()');
      return mids.map((mid) => received.find((stream) => stream.mid === mid)?.framesDecoded ?? 0);
    };
    await expect.poll(() => viewer.codes.filter((codes) => codes.length > 5).length, WAIT).toBe(CAMERAS.length);
    await expect.poll(async () => Math.min(...(await decodedAtJanus())), WAIT).toBeGreaterThan(5);
    const decodedBefore = [...viewer.frames];
    const codesBefore = viewer.codes.map((codes) => codes.length);
    await startRecording(page, '0');
    const before = await decodedAtJanus();

    const listening = new AbortController();
    ends.push(() => listening.abort());
    let revertedAtMs = 0;
    const ready = client.events({ signal: listening.signal });
    const watching = (async () => {
      for await (const event of ready) {
        if (event.type !== 'allocation' || event.publisherId !== 'spare') continue;
        if (event.data['inForce'] === 'base') revertedAtMs = performance.now();
      }
    })();
    const steering = program(
      'test/support/steering-child.ts',
      serving.url,
      'robot',
      String(TIMES_A_SECOND),
      String(SECONDS),
      ...CAMERAS,
    );
    const holder = program('examples/controller.ts', serving.url, 'spare', 'rear');
    await holder.printed(/revision 2: .*rear \d+ \(weight\)/);
    // Several times as long as the lease: it is renewed.
    await new Promise((resolve) => setTimeout(resolve, 5 * LEASE_MS));
    const held = await client.allocation('spare');
    expect(held.allocation).toMatchObject({ inForce: 'lease', revision: 2, lease: { owner: 'example-controller' } });
    await expect(client.putAllocation('spare', { tracks: {} })).rejects.toMatchObject({ code: 'LEASE_HELD' });
    const killedAtMs = performance.now();
    await holder.kill();
    await expect.poll(() => revertedAtMs, WAIT).toBeGreaterThan(0);
    console.log(
      `a lease of ${LEASE_MS} ms came to its end ${(revertedAtMs - killedAtMs).toFixed(0)} ms after its owner was killed`,
    );
    const reverted = await client.allocation('spare');
    expect(reverted.allocation).toMatchObject({ inForce: 'base', revision: 3 });
    expect(new Set(reverted.allocation.grants.map(({ targetBps }) => targetBps)).size).toBe(1);

    expect(await steering.ended).toEqual({ code: 0, signal: null });
    expect(JSON.parse(steering.stdout)).toEqual({ taken: TIMES_A_SECOND * SECONDS, refused: {} });
    // Each changes something, but for those that overtook one another on their connections.
    expect((await client.allocation('robot')).allocation.revision).toBeGreaterThan(0.8 * TIMES_A_SECOND * SECONDS);
    listening.abort();
    await watching;

    const seen = viewer.codes.map((codes, index) => codes.slice(codesBefore[index]));
    console.log(`decoded at the loopback SFU: ${seen.map((codes) => codes.length).join(', ')} pictures`);
    expect(seen.map((codes) => codes.length)).toEqual(
      viewer.frames.map((count, index) => count - (decodedBefore[index] ?? 0)),
    );
    expect(seen).toHaveLength(CAMERAS.length);
    expect(new Set(seen.map(([code]) => code?.cameraId)).size).toBe(CAMERAS.length);
    for (const codes of seen) {
      const numbers = codes.map(({ frameNumber }) => frameNumber);
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
      // In every second of the half minute, on a machine that may be busy.
      const secondsWith = new Set(codes.map(({ captureTimeUs }) => Math.floor(captureTimeUs / 1e6)));
      expect(secondsWith.size).toBeGreaterThanOrEqual(SECONDS);
    }
    const after = await decodedAtJanus();
    const { decoded } = await recording(page);
    console.log(`decoded at Janus: ${after.map((count, index) => count - (before[index] ?? 0)).join(', ')} pictures`);
    expect(Math.min(...after.map((count, index) => count - (before[index] ?? 0)))).toBeGreaterThan(SECONDS);
    expect(decoded.filter(({ code }) => code === undefined)).toEqual([]);
  });

  it('takes a camera in by a reload without a frame lost on the others, and ends with nothing left at either SFU', async () => {
    const page = await watchJanus();
    await expect.poll(async () => (await page.evaluate<unknown[]>('received()')).length, WAIT).toBe(CAMERAS.length);
    await startRecording(page, '0');
    await expect.poll(async () => (await recording(page)).decoded.length, WAIT).toBeGreaterThan(5);
    const viewer = await new WrtcViewer(CAMERAS.length + 1).view(`${sfuUrl}/whep/robot`);
    ends.push(() => viewer.close());
    await expect.poll(() => viewer.codes.filter((codes) => codes.length > 5).length, WAIT).toBe(CAMERAS.length);
    const seenBefore = viewer.codes.map(({ length }) => length);
    const before = { robot: await dropped('robot'), spare: await dropped('spare') };
    serving.configure(...publishers([...CAMERAS, ADDED]));
    serving.reload();
    await serving.program.printed(/"tracksAdded":\["robot\/arm","spare\/arm"\]/);
    const sentOfAdded = async (publisher: string) =>
      (await client.stats(publisher)).tracks.find(({ trackId }) => trackId === ADDED)?.framesSent ?? 0;
    const sentOfBoth = async () => Math.min(await sentOfAdded('robot'), await sentOfAdded('spare'));
    await expect.poll(sentOfBoth, WAIT).toBeGreaterThan(20);
    // Janus takes the camera into the session that there is. One of WHIP cannot grow (RFC 9725 section 4.3): another takes its place once it stands.
    expect(await dropped('spare')).toEqual(before.spare);
    expect(await dropped('robot')).toEqual(before.robot);
    // Its source leaves out the pictures that a busy machine is too late for, so that numbers may be missing here, but none comes out of order.
    const numbers = (await recording(page)).decoded.map(({ code }) => code?.frameNumber ?? -1);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    const seenByCamera = viewer.codes.slice(0, CAMERAS.length);
    for (const [index, codes] of seenByCamera.entries()) {
      const seen = codes.map(({ frameNumber }) => frameNumber);
      expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
      expect(seen.length).toBeGreaterThan((seenBefore[index] ?? 0) + 10);
    }

    const askedAtMs = performance.now();
    expect(await serving.program.signal('SIGTERM')).toEqual({ code: 0, signal: null });
    console.log(`it ended ${(performance.now() - askedAtMs).toFixed(0)} ms after SIGTERM`);
    // Both sessions were ended, and did not just fall silent.
    expect(sfu.rooms().find(({ room }) => room === 'robot')?.tracks ?? []).toEqual([]);
    expect(await page.evaluate(`othersInRoom(${JANUS_ROOM})`)).toBe(0);
    expect(serving.program.stdout).not.toContain('"level":"error"');
  });
});
