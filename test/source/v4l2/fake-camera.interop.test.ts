import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canFakeCameras, FAKE_CAMERA, FAKE_PICTURES, FakeCamera } from '../../support/fake-camera/fake-camera.js';
import type { Program } from '../../support/program.js';

const WAIT = { timeout: 20_000, interval: 50 };
const SIZE = `${FAKE_CAMERA.width}x${FAKE_CAMERA.height}`;

let folder: string;
let playing: Program | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'camera-'));
});

afterEach(async () => {
  await playing?.kill();
  playing = undefined;
  rmSync(folder, { recursive: true });
});

/** What was printed since `from`, of one kind. */
function lines(program: Program, kind: string, from = 0): readonly string[] {
  return program.stdout
    .slice(from)
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith(`${kind} `))
    .map((line) => line.slice(kind.length + 1));
}

/** Bar codes of the pictures since `from`. */
function numbers(program: Program, from = 0): readonly number[] {
  return lines(program, 'picture', from).map((line) => Number(line.split(' ')[0]));
}

const isPossible = canFakeCameras();
if (!isPossible) console.warn('SKIPPED: no camera is made up for V4L2, since gcc is missing or this is not Linux');

describe.skipIf(!isPossible)('a camera by V4L2, whose driver is made up', () => {
  it.each(['MJPG', 'YUYV'] as const)('is read in %s: every picture, in order, at its own size', async (format) => {
    playing = (await FakeCamera.make(folder, format)).play();
    const program = playing;
    await expect.poll(() => numbers(program).length, WAIT).toBeGreaterThan(30);
    const seen = numbers(program);
    expect(seen).toEqual(seen.map((_, index) => index % FAKE_PICTURES));
    expect(new Set(lines(program, 'picture').map((line) => line.split(' ')[1]))).toEqual(new Set([SIZE]));
    expect(lines(program, 'state')).toEqual(['live']);
    await program.signal('SIGTERM');
  });

  it('is said to be unplugged when its cable is pulled, and goes on when it is plugged in again', async () => {
    const camera = await FakeCamera.make(folder, 'YUYV');
    playing = camera.play();
    const program = playing;
    await expect.poll(() => numbers(program).length, WAIT).toBeGreaterThan(10);
    camera.unplug();
    await expect.poll(() => lines(program, 'state'), WAIT).toContain('unplugged');
    const from = program.stdout.length;
    camera.plugIn();
    await expect.poll(() => numbers(program, from).length, WAIT).toBeGreaterThan(10);
    const states = lines(program, 'state');
    expect([states[0], states[1], states.at(-1)]).toEqual(['live', 'unplugged', 'live']);
    expect(numbers(program, from)[0]).toBe(0);
  });

  it('that has another size than it is asked for says which it has', async () => {
    playing = (await FakeCamera.make(folder, 'YUYV')).play('?width=640&height=480');
    await expect
      .poll(() => playing?.stdout, WAIT)
      .toMatch(/error .*does not deliver 640x480; it gives 320x240 instead/);
  });
});
