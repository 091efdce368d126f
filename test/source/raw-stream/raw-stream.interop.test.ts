import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.js';
import { createSource } from '../../../src/source/create-source.js';
import type { FrameSource } from '../../../src/source/frame-source.js';
import { parseSourceSpec } from '../../../src/source/source-spec.js';
import { codeOf } from '../../sender/sender-harness.js';
import { EXAMPLE_WRITERS, WriterProcess } from '../../support/example-writers.js';
import { pictureOf } from '../../support/frame-stream.js';
import { CollectingSink } from '../collecting-sink.js';

const WAIT = { timeout: 20_000, interval: 10 };

let folder: string;
const sources: FrameSource[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writers-'));
  execFileSync('mkfifo', [join(folder, 'fifo')]);
});

afterEach(async () => {
  for (const source of sources.splice(0)) await source.stop();
  rmSync(folder, { recursive: true });
});

function placeOf(kind: string): string {
  return kind === 'pipe' ? `pipe:${join(folder, 'fifo')}` : `unix:${join(folder, 'socket')}`;
}

function sourceAt(place: string): FrameSource {
  const source = createSource(parseSourceSpec(place), { label: 'front', cameraId: 1, clock: new SystemClock() });
  sources.push(source);
  return source;
}

/** Connects, once somebody listens. */
async function connected(path: string): Promise<Socket> {
  await expect.poll(() => existsSync(path), WAIT).toBe(true);
  const socket = connect(path);
  socket.on('error', () => undefined);
  return socket;
}

for (const { name, missing } of EXAMPLE_WRITERS) {
  if (missing !== undefined)
    console.warn(`SKIPPED: the example writer in ${name} is not tried, since ${missing} is missing`);
}

describe.each(EXAMPLE_WRITERS)('the example writer in $name', (writer) => {
  it.skipIf(writer.missing !== undefined).each(['pipe', 'unix'])(
    'is read over a %s: every picture once, in order, with its own capture time; and again when it was killed and comes back',
    async (kind) => {
      const place = placeOf(kind);
      for (const frames of [0, 25]) {
        const process = new WriterProcess(writer, folder, { place, framerate: 20, cameraId: 7, frames });
        const source = sourceAt(place);
        const sink = new CollectingSink();
        try {
          await source.start(sink);
          expect(source.format).toEqual({ width: 320, height: 240, framerate: 20, pixelFormat: 'I420' });
          await expect.poll(() => sink.codes.length, WAIT).toBeGreaterThanOrEqual(20);
          if (frames === 0) await process.kill();
          await expect.poll(() => sink.endings.length, WAIT).toBe(1);
        } finally {
          await process.kill();
        }
        const numbers = sink.frameNumbers;
        expect(numbers).toEqual(numbers.map((_, index) => index));
        expect(sink.codes.every((code) => code?.cameraId === 7)).toBe(true);
        // One clock, read by two programs: the distances are the same.
        const offsets = sink.timestamps.map((stamp, index) => stamp - (sink.codes[index]?.captureTimeUs ?? 0));
        expect(Math.max(...offsets) - Math.min(...offsets)).toBeLessThan(100_000);
        expect(sink.endings).toEqual([expect.objectContaining({ code: 'SOURCE_UNPLUGGED' })]);
        await source.stop();
      }
    },
  );
});

describe('a named pipe', () => {
  it('that is not there, or is none, is told so', async () => {
    expect(await codeOf(sourceAt(`pipe:${join(folder, 'other')}`).start(new CollectingSink()))).toBe(
      'SOURCE_NOT_FOUND',
    );
    writeFileSync(join(folder, 'file'), '');
    await expect(sourceAt(`pipe:${join(folder, 'file')}`).start(new CollectingSink())).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('mkfifo'),
    });
  });

  it('can be closed while it waits for a writer, and while one writes', async () => {
    const waiting = sourceAt(placeOf('pipe'));
    const start = codeOf(waiting.start(new CollectingSink()));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await waiting.stop();
    expect(await start).toBe('CLOSED');
    const source = sourceAt(placeOf('pipe'));
    const sink = new CollectingSink();
    const started = source.start(sink);
    const file = await open(join(folder, 'fifo'), 'w');
    await file.write(pictureOf(1));
    await started;
    await source.stop();
    expect(sink.endings).toEqual([]);
    await file.close();
  });

  it('may be joined in the midst of a picture, and ends at half of one', async () => {
    const source = sourceAt(placeOf('pipe'));
    const sink = new CollectingSink();
    const values: (number | undefined)[] = [];
    sink.onFrame = ({ data }) => values.push(data[0]);
    const started = source.start(sink);
    const file = await open(join(folder, 'fifo'), 'w');
    await file.write(Buffer.concat([pictureOf(1).subarray(30), pictureOf(2), pictureOf(3).subarray(0, 70)]));
    await started;
    await file.close();
    await expect.poll(() => sink.endings.length, WAIT).toBe(1);
    expect(values).toEqual([2]);
  });
});

describe('a Unix socket', () => {
  it('refuses a second writer while there is one, and takes no notice of who connects and says nothing', async () => {
    const path = join(folder, 'socket');
    const source = sourceAt(`unix:${path}`);
    const sink = new CollectingSink();
    const started = source.start(sink);
    const silent = await connected(path);
    const first = await connected(path);
    first.write(pictureOf(1));
    await started;
    const second = await connected(path);
    const refused = new Promise((resolve) => second.once('close', resolve));
    second.write(pictureOf(2));
    await refused;
    silent.destroy();
    first.write(pictureOf(3));
    await expect.poll(() => sink.timestamps.length, WAIT).toBe(2);
    expect(sink.endings).toEqual([]);
    first.destroy();
    await expect.poll(() => sink.endings.length, WAIT).toBe(1);
  });

  it('replaces a stale file, but nothing that answers and nothing that is no socket', async () => {
    const path = join(folder, 'socket');
    // A program that was killed leaves the file behind.
    const dying = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    spawnSync(process.execPath, ['-e', dying, path]);
    expect(existsSync(path)).toBe(true);
    const source = sourceAt(`unix:${path}`);
    const started = source.start(new CollectingSink());
    await expect.poll(() => isListening(path), WAIT).toBe(true);
    expect(await codeOf(sourceAt(`unix:${path}`).start(new CollectingSink()))).toBe('SOURCE_BUSY');
    (await connected(path)).write(pictureOf(1));
    await started;
    await source.stop();
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, 'precious');
    expect(await codeOf(sourceAt(`unix:${path}`).start(new CollectingSink()))).toBe('SOURCE_FAILED');
    expect(existsSync(path)).toBe(true);
  });

  it('goes on in another size, and ends at garbage', async () => {
    const path = join(folder, 'socket');
    const source = sourceAt(`unix:${path}`);
    const widths: number[] = [];
    const endings: unknown[] = [];
    const started = source.start({
      frame: (frame) => {
        widths.push(frame.codedWidth);
        frame.release?.();
      },
      ended: (error) => void endings.push(error),
      formatChanged: () => undefined,
    });
    const writer = await connected(path);
    writer.write(Buffer.concat([pictureOf(1), pictureOf(2, { width: 8, format: 'NV12' })]));
    await started;
    await expect.poll(() => widths, WAIT).toEqual([4, 8]);
    writer.write(Buffer.alloc(17 * 1024 * 1024));
    await expect.poll(() => endings, WAIT).toEqual([expect.objectContaining({ code: 'SOURCE_MALFORMED' })]);
    writer.destroy();
  });
});

/** Whether somebody answers; says nothing to whoever does. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
