import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUVJ420P } from 'node-av/constants';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawVideoFrame } from '../../../src/encoder/video-frame.js';
import { readBarCode } from '../../../src/source/bar-code.js';
import { FileSource } from '../../../src/source/file/file-source.js';
import { TestPatternRenderer } from '../../../src/source/test-pattern/renderer.js';
import { realClips } from '../../support/clips.js';
import { type CodingConfig, writeClip } from '../../support/video-coding.js';
import { settle, VirtualClock } from '../../support/virtual-clock.js';
import { CollectingSink } from '../collecting-sink.js';

const WIDTH = 320;
const HEIGHT = 240;
const FRAMES = 12;
const NUMBERS = Array.from({ length: FRAMES }, (_, number) => number);
const H264: CodingConfig = {
  encoder: 'libx264',
  width: WIDTH,
  height: HEIGHT,
  framerate: 20,
  bitrateBps: 2_000_000,
  options: { preset: 'superfast' },
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framelock-file-source-'));
  await writeClip(join(folder, 'clip.mp4'), H264, pictures());
});

afterAll(() => rm(folder, { recursive: true }));

function* pictures(count = FRAMES): Generator<Uint8Array> {
  const look = { width: WIDTH, height: HEIGHT, framerate: 20, label: 'clip', cameraId: 6 };
  const renderer = TestPatternRenderer.create(look);
  for (let number = 0; number < count; number += 1) {
    const picture = new Uint8Array(renderer.sizeBytes);
    renderer.render(picture, number, number);
    yield picture;
  }
}

/** 4:4:4 pictures one pixel wider and higher than the test pattern, its last row and column repeated. */
function* oddPictures(): Generator<Uint8Array> {
  const [width, height] = [WIDTH + 1, HEIGHT + 1];
  for (const picture of pictures()) {
    const odd = new Uint8Array(width * height * 3);
    for (let index = 0; index < width * height; index += 1) {
      const x = Math.min(WIDTH - 1, index % width);
      const y = Math.min(HEIGHT - 1, Math.floor(index / width));
      const chroma = WIDTH * HEIGHT + (y >> 1) * (WIDTH / 2) + (x >> 1);
      odd[index] = picture[y * WIDTH + x] ?? 0;
      odd[width * height + index] = picture[chroma] ?? 0;
      odd[width * height * 2 + index] = picture[chroma + (WIDTH * HEIGHT) / 4] ?? 0;
    }
    yield odd;
  }
}

/**
 * Runs virtual time only while the source waits for its timer: decoding then takes no time at all, and the result does not
 * depend on the machine.
 */
async function pump(clock: VirtualClock, until: () => boolean): Promise<void> {
  while (!until()) {
    if (clock.pendingTimers > 0) await clock.advance(1);
    else await settle();
  }
}

/** Runs virtual time until the source has set no timer for a while: it waits for data. */
async function pumpUntilIdle(clock: VirtualClock): Promise<void> {
  for (let idleTurns = 0; idleTurns < 20; idleTurns += 1) {
    if (clock.pendingTimers > 0) idleTurns = 0;
    await clock.advance(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Played {
  readonly source: FileSource;
  readonly sink: CollectingSink;
  readonly clock: VirtualClock;
}

/** Plays until there are `count` frames or the source ends, then stops it. */
async function play(location: string, count: number, loop = true): Promise<Played> {
  const clock = new VirtualClock();
  const sink = new CollectingSink();
  const source = new FileSource({ location, clock, loop });
  await source.start(sink);
  await pump(clock, () => sink.timestamps.length >= count || sink.endings.length > 0);
  await source.stop();
  return { source, sink, clock };
}

/** Overwrites a stretch of a file in its middle. */
async function damage(path: string, bytes: number): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(bytes, 0x55), 0, bytes, Math.floor(size / 2));
  await file.close();
}

describe('file source', () => {
  it('plays every picture once, in order, at the pace of the file', async () => {
    const { source, sink } = await play(join(folder, 'clip.mp4'), FRAMES, false);
    expect(source.name).toBe('clip.mp4');
    expect(source.format).toEqual({ width: WIDTH, height: HEIGHT, framerate: 20 });
    expect(sink.frameNumbers).toEqual(NUMBERS);
    const [first = 0] = sink.timestamps;
    expect(sink.timestamps.map((timestamp) => timestamp - first)).toEqual(NUMBERS.map((number) => number * 50_000));
  });

  it('ends without an error after the last picture when it does not loop', async () => {
    const { source, sink } = await play(join(folder, 'clip.mp4'), FRAMES + 1, false);
    expect(sink.timestamps).toHaveLength(FRAMES);
    expect(sink.endings).toEqual([undefined]);
    await source.stop();
    expect(sink.endings).toHaveLength(1);
  });

  it('loops by default, and keeps its pace across loops', async () => {
    const { source, sink } = await play(join(folder, 'clip.mp4'), FRAMES * 3);
    expect(sink.frameNumbers).toEqual([...NUMBERS, ...NUMBERS, ...NUMBERS]);
    const [first = 0] = sink.timestamps;
    expect(sink.timestamps.map((timestamp) => timestamp - first)).toEqual(
      sink.timestamps.map((_, number) => number * 50_000),
    );
    expect(source.stats).toMatchObject({ framesDelivered: FRAMES * 3, damaged: 0, slips: 0 });
  });

  it('keeps uneven time stamps, in every loop', async () => {
    const path = join(folder, 'uneven.mp4');
    const timeOf = (number: number): number => number + 2 * Math.floor(number / 4);
    await writeClip(path, { ...H264, timeOf }, pictures());
    const { sink } = await play(path, FRAMES * 2);
    const stepsMs = sink.timestamps.slice(1).map((time, index) => (time - (sink.timestamps[index] ?? 0)) / 1_000);
    const uneven = [50, 50, 50, 150, 50, 50, 50, 150, 50, 50, 50];
    expect([stepsMs.slice(0, FRAMES - 1), stepsMs.slice(FRAMES)]).toEqual([uneven, uneven]);
  });

  it.each([
    ['clip.ivf', { ...H264, encoder: 'libvpx', options: { deadline: 'realtime', 'cpu-used': '8' } }],
    ['clip.h264', H264],
    ['clip.avi', { ...H264, encoder: 'mpeg4', options: {} }],
  ] as const)('loops %s too', async (name, config) => {
    await writeClip(join(folder, name), config, pictures());
    const { sink } = await play(join(folder, name), FRAMES * 2);
    expect(sink.frameNumbers).toEqual([...NUMBERS, ...NUMBERS]);
  });

  it('converts other pixel formats and crops odd sizes', async () => {
    const path = join(folder, 'odd.mp4');
    const config = { ...H264, width: WIDTH + 1, height: HEIGHT + 1, pixelFormat: AV_PIX_FMT_YUV444P };
    await writeClip(path, config, oddPictures());
    const { source, sink } = await play(path, FRAMES);
    expect(source.format).toMatchObject({ width: WIDTH, height: HEIGHT });
    expect(sink.frameNumbers).toEqual(NUMBERS);
  });

  it.each([
    ['jpeg.avi', 'mjpeg', AV_PIX_FMT_YUVJ420P],
    ['full-range.ivf', 'libvpx-vp9', AV_PIX_FMT_YUV420P],
  ])('brings pictures in full range to video range: %s', async (name, encoder, pixelFormat) => {
    const path = join(folder, name);
    const white = new Uint8Array((WIDTH * HEIGHT * 3) / 2).fill(128).fill(255, 0, WIDTH * HEIGHT);
    await writeClip(path, { ...H264, encoder, pixelFormat, options: { color_range: 'pc' } }, [white]);
    const levels: number[] = [];
    const sink = new CollectingSink();
    sink.onFrame = ({ data }) => levels.push(data[WIDTH * 100] ?? 0, data[WIDTH * HEIGHT + 100] ?? 0);
    const source = new FileSource({ location: path, clock: new VirtualClock(), loop: false });
    await source.start(sink);
    await pump(new VirtualClock(), () => sink.endings.length > 0);
    expect(levels).toEqual([235, 128]);
  });

  it('goes on after damaged places and counts them', async () => {
    const path = join(folder, 'damaged.ivf');
    await writeClip(path, { ...H264, encoder: 'libvpx', gopSize: 5, options: {} }, pictures(60));
    await damage(path, 3_000);
    const { source, sink } = await play(path, 60, false);
    expect(sink.endings).toEqual([undefined]);
    expect(source.stats.damaged).toBeGreaterThan(0);
    expect(sink.timestamps.length).toBeGreaterThan(20);
  });

  it('delivers buffers that stay untouched until they are released', async () => {
    const clock = new VirtualClock();
    const held: RawVideoFrame[] = [];
    const source = new FileSource({ location: join(folder, 'clip.mp4'), clock });
    await source.start({ frame: (frame) => void held.push(frame), ended: () => {} });
    await pump(clock, () => source.stats.framesWithoutBuffer === 10);
    await source.stop();
    expect(held.map((frame) => readBarCode(frame.data, WIDTH, HEIGHT)?.frameNumber)).toEqual([0, 1, 2, 3]);
  });

  it('delivers nothing after stop, also when stopped from a frame callback', async () => {
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const source = new FileSource({ location: join(folder, 'clip.mp4'), clock });
    let stopped: Promise<void> | undefined;
    sink.onFrame = () => {
      stopped = source.stop();
    };
    await source.start(sink);
    await pump(clock, () => stopped !== undefined);
    await stopped;
    await clock.advance(1_000);
    expect(sink.timestamps).toHaveLength(1);
    expect(sink.endings).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not deliver the picture that waits for its time when it is stopped', async () => {
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const source = new FileSource({ location: join(folder, 'clip.mp4'), clock });
    await source.start(sink);
    await pump(clock, () => sink.timestamps.length === 2 && clock.pendingTimers === 1);
    await source.stop();
    expect(sink.timestamps).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('can be stopped at any moment, the start included', async () => {
    for (let turns = 0; turns < 40; turns += 1) {
      const sink = new CollectingSink();
      const source = new FileSource({ location: join(folder, 'clip.mp4'), clock: new VirtualClock() });
      const started = source.start(sink).then(
        () => 'started',
        (error: unknown) => error,
      );
      for (let turn = 0; turn < turns; turn += 1) await settle();
      await Promise.all([source.stop(), source.stop()]);
      const frames = sink.timestamps.length;
      await settle();
      expect(sink.timestamps).toHaveLength(frames);
      expect(sink.endings).toEqual([]);
      const outcome = await started;
      if (outcome !== 'started') expect(outcome).toMatchObject({ code: 'CLOSED' });
    }
  });

  it('can be stopped without having been started', async () => {
    const source = new FileSource({ location: join(folder, 'clip.mp4'), clock: new VirtualClock() });
    await source.stop();
    await expect(source.start(new CollectingSink())).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('refuses to start twice and after stop', async () => {
    const source = new FileSource({ location: join(folder, 'clip.mp4'), clock: new VirtualClock() });
    await source.start(new CollectingSink());
    await expect(source.start(new CollectingSink())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await source.stop();
    await expect(source.start(new CollectingSink())).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('names the missing file', async () => {
    const location = join(folder, 'missing.mp4');
    await expect(play(location, 1)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining(location),
    });
  });

  it('says why a file is no video', async () => {
    const location = join(folder, 'notes.mp4');
    await writeFile(location, 'not a video at all\n'.repeat(100));
    await expect(play(location, 1)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: `could not open ${location}: Invalid data found when processing input`,
    });
    await expect(play(folder, 1)).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
  });

  it('says that a sound file has no video', async () => {
    const location = join(folder, 'sound.wav');
    // RIFF header of 8 kHz mono PCM, and a second of silence.
    const header = Buffer.from(
      'RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data',
      'latin1',
    );
    await writeFile(location, Buffer.concat([header, Buffer.of(0x40, 0x1f, 0, 0), Buffer.alloc(8_000, 0x80)]));
    await expect(play(location, 1)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: `${location} has no video stream`,
    });
  });

  it('plays a video from a web server, and tells a missing one', async () => {
    const path = join(folder, 'served.ivf');
    await writeClip(path, { ...H264, encoder: 'libvpx', options: {} }, pictures());
    const clip = await readFile(path);
    await using server = await serve((request, response) => {
      response.statusCode = request.url === '/clip.ivf' ? 200 : 404;
      response.end(request.url === '/clip.ivf' ? clip : undefined);
    });
    const { sink } = await play(`${server.address}/clip.ivf`, FRAMES, false);
    expect(sink.frameNumbers).toEqual(NUMBERS);
    await expect(play(`${server.address}/none.ivf`, 1)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  it('stops at once while a peer that fell silent keeps it waiting', async () => {
    const path = join(folder, 'silent.ivf');
    await writeClip(path, { ...H264, encoder: 'libvpx', options: {} }, pictures(60));
    const clip = await readFile(path);
    await using server = await serve((_request, response) => void response.write(clip.subarray(0, clip.length - 100)));
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const source = new FileSource({ location: `${server.address}/clip.ivf`, clock });
    await source.start(sink);
    await pump(clock, () => sink.timestamps.length >= 55);
    await pumpUntilIdle(clock);
    expect(await durationMs(source.stop())).toBeLessThan(2_000);
    expect(sink.endings).toEqual([]);
  });

  it('stops at once while a peer that never answers keeps it waiting', async () => {
    let asked = (): void => {};
    const request = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await using server = await serve(() => asked());
    const source = new FileSource({ location: `${server.address}/clip.ivf`, clock: new VirtualClock() });
    const started = source.start(new CollectingSink());
    const outcome = expect(started).rejects.toMatchObject({ code: 'CLOSED' });
    await request;
    expect(await durationMs(source.stop())).toBeLessThan(2_000);
    await outcome;
  });
});

async function durationMs(work: Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work;
  return performance.now() - beganMs;
}

interface TestServer extends AsyncDisposable {
  readonly address: string;
}

async function serve(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('file source with footage of a camera', () => {
  it('plays every clip for two seconds in its own time', async () => {
    const { paths } = await realClips();
    for (const path of paths) {
      const clock = new VirtualClock();
      const sink = new CollectingSink();
      const source = new FileSource({ location: path, clock });
      await source.start(sink);
      const { framerate } = source.format;
      await pump(clock, () => sink.timestamps.length >= framerate * 2 || sink.endings.length > 0);
      await source.stop();
      const [first = 0] = sink.timestamps;
      const spanUs = (sink.timestamps.at(-1) ?? 0) - first;
      expect(sink.endings, path).toEqual([]);
      expect(sink.timestamps.length, path).toBeGreaterThanOrEqual(framerate * 2);
      expect(Math.abs(spanUs - ((sink.timestamps.length - 1) * 1_000_000) / framerate), path).toBeLessThan(150_000);
    }
  });
});
