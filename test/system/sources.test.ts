import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceClient } from '../../src/client.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { WrtcViewer } from '../loopback/wrtc-clients.js';
import { EXAMPLE_WRITERS, WriterProcess } from '../support/example-writers.js';
import { Program } from '../support/program.js';
import { servedVideo, VideoServer } from '../support/video-server.js';

const WAIT = { timeout: 40_000, interval: 100 };
const CAMERAS = ['front', 'rear', 'arm', 'mast'];
const WRITER = EXAMPLE_WRITERS.find(({ missing }) => missing === undefined);

let folder: string;
let sfu: LoopbackSfu;
let sfuUrl: string;
let mast: VideoServer;
let program: Program;
let writer: WriterProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sources-'));
  sfu = new LoopbackSfu({ port: 0 });
  ({ url: sfuUrl } = await sfu.start());
  mast = new VideoServer(await servedVideo({ framerate: 10, seconds: 120 }));
  await mast.switchOn();
});

afterAll(async () => {
  await writer?.kill();
  await program.kill();
  await mast.switchOff();
  await sfu.close();
  rmSync(folder, { recursive: true });
});

function configure(): string {
  const path = join(folder, 'robot.json');
  const sources = ['test:320x240@10', 'test:320x240@10', `unix:${join(folder, 'arm')}`, mast.url];
  const tracks = CAMERAS.map((id, index) => ({ id, source: sources[index] }));
  const robot = { id: 'robot', sfu: { whip: { url: `${sfuUrl}/whip/robot` } }, congestionControl: 'fixed', tracks };
  writeFileSync(path, JSON.stringify({ http: { port: 0 }, publishers: [robot] }));
  return path;
}

async function metrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

if (WRITER === undefined) console.warn('SKIPPED: neither python3 nor g++ is there to write frames');

describe.skipIf(WRITER === undefined)('four sources of framelock serve', () => {
  it('go on when others are killed, which are back in the picture as soon as they are back', async () => {
    if (WRITER === undefined) return;
    const arm = { place: `unix:${join(folder, 'arm')}`, framerate: 10, cameraId: 99 };
    writer = new WriterProcess(WRITER, folder, arm);
    program = new Program(['serve', '--config', configure()]);
    const [, url = ''] = await program.printed(/"url":"([^"]+)"/);
    const client = new ServiceClient({ url });
    await expect.poll(() => client.ready(), WAIT).toBe(true);
    const { tracks } = await client.publisher('robot');
    // Cameras come in the order in which they were ready.
    const order =
      sfu
        .rooms()
        .find(({ room }) => room === 'robot')
        ?.tracks.map(({ id }) => id) ?? [];
    expect(order.toSorted()).toEqual(CAMERAS.toSorted());
    expect(tracks.map(({ source }) => source.state)).toEqual(['live', 'live', 'live', 'live']);
    const viewer = await new WrtcViewer(CAMERAS.length).view(`${sfuUrl}/whep/robot`);
    const codesOf = (camera: string) => viewer.codes[order.indexOf(camera)] ?? [];
    const counts = (cameras: readonly string[]) => cameras.map((camera) => codesOf(camera).length);
    const growsBy = async (cameras: readonly string[], pictures: number): Promise<void> => {
      const before = Math.max(0, ...counts(cameras));
      await expect.poll(() => Math.min(...counts(cameras)), WAIT).toBeGreaterThan(before + pictures);
    };
    await growsBy(CAMERAS, 10);

    const states = async () =>
      Object.fromEntries((await client.publisher('robot')).tracks.map(({ id, source }) => [id, source.state]));
    await writer.kill();
    await mast.switchOff();
    await expect.poll(states, WAIT).toEqual({ front: 'live', rear: 'live', arm: 'unplugged', mast: 'reopening' });
    expect(await client.ready()).toBe(false);
    expect(await metrics(url)).toContain('framelock_source_state{publisher="robot",track="arm",state="unplugged"} 1');
    const gone = counts(['arm', 'mast']);
    await growsBy(['front', 'rear'], 20);
    expect(Math.max(...counts(['arm', 'mast'])) - Math.max(...gone)).toBeLessThan(10);

    writer = new WriterProcess(WRITER, folder, arm);
    await mast.switchOn();
    await expect.poll(() => client.ready(), WAIT).toBe(true);
    await growsBy(CAMERAS, 10);
    for (const camera of ['front', 'rear']) {
      const numbers = codesOf(camera).map(({ frameNumber }) => frameNumber);
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
      // Nothing near the seconds for which the others were away.
      const gaps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThan(10);
    }
    expect(new Set(codesOf('arm').map(({ cameraId }) => cameraId))).toEqual(new Set([99]));
    expect((await client.publisher('robot')).tracks.map(({ source }) => source.reopened > 0)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    viewer.close();
    expect(await program.signal('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(program.stdout).not.toContain('"level":"error"');
  });
});
