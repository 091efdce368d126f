import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AV_PIX_FMT_YUVJ422P } from 'node-av/constants';
import { TestPatternRenderer } from '../../../src/source/test-pattern/renderer.js';
import { Program } from '../program.js';
import { writeClip } from '../video-coding.js';

/** What a made-up camera delivers, by its name in V4L2. */
export type FakeFormat = 'YUYV' | 'MJPG';

/** Of its pictures, each of which has its number in a bar code. */
export const FAKE_CAMERA = { width: 320, height: 240, framerate: 20, label: 'fake', cameraId: 5 } as const;
/** After so many they begin anew. */
export const FAKE_PICTURES = 200;

/** Whether there is a compiler for it. */
export function canFakeCameras(): boolean {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

/**
 * A made-up camera, for processes that are started with it: what they ask its device is answered in place of a driver (fake-camera.c). FFmpeg's device for V4L2
 * and everything above it are the real ones.
 */
export class FakeCamera {
  readonly device: string;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(device: string, environment: NodeJS.ProcessEnv) {
    this.device = device;
    this.#environment = environment;
  }

  /** Compiles it, and draws its pictures; plugged in. @param folder for its files */
  static async make(folder: string, format: FakeFormat): Promise<FakeCamera> {
    const library = join(folder, 'fake-camera.so');
    const warnings = ['-Wall', '-Wextra', '-Werror'];
    const place = 'test/support/fake-camera/fake-camera.c';
    execFileSync('gcc', [
      '-shared',
      '-fPIC',
      '-O1',
      '-U_FORTIFY_SOURCE',
      ...warnings,
      '-o',
      library,
      place,
      '-lpthread',
    ]);
    const frames = join(folder, 'pictures');
    writeFileSync(frames, Buffer.concat((await picturesOf(folder, format)).map(withLength)));
    const { width, height, framerate } = FAKE_CAMERA;
    const camera = new FakeCamera(join(folder, 'video0'), {
      LD_PRELOAD: library,
      FAKE_CAMERA: join(folder, 'video0'),
      FAKE_CAMERA_FRAMES: frames,
      FAKE_CAMERA_FORMAT: format,
      FAKE_CAMERA_WIDTH: String(width),
      FAKE_CAMERA_HEIGHT: String(height),
      FAKE_CAMERA_FPS: String(framerate),
    });
    camera.plugIn();
    return camera;
  }

  plugIn(): void {
    writeFileSync(this.device, '');
  }

  /** As when its cable is pulled: its file goes, and what was open answers ENODEV. */
  unplug(): void {
    rmSync(this.device);
  }

  /** Plays it in a process of its own. @param query of its address */
  play(query = ''): Program {
    return new Program([`v4l2:${this.device}${query}`], this.#environment, 'test/support/fake-camera/play-source.ts');
  }
}

async function picturesOf(folder: string, format: FakeFormat): Promise<readonly Uint8Array[]> {
  return format === 'YUYV' ? [...lumas()].map(packed) : jpegs(folder);
}

/** Luma of each picture. */
function* lumas(): Generator<Uint8Array> {
  const renderer = TestPatternRenderer.create(FAKE_CAMERA);
  for (let number = 0; number < FAKE_PICTURES; number += 1) {
    const picture = new Uint8Array(renderer.sizeBytes);
    renderer.render(picture, number, number);
    yield picture.subarray(0, FAKE_CAMERA.width * FAKE_CAMERA.height);
  }
}

/** YUYV: two pixels in four bytes, grey here. */
function packed(luma: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(luma.length * 2).fill(128);
  for (const [index, value] of luma.entries()) bytes[2 * index] = value;
  return bytes;
}

/** As USB cameras deliver it: 4:2:2 in full range. */
async function jpegs(folder: string): Promise<readonly Uint8Array[]> {
  const path = join(folder, 'pictures.mjpeg');
  const wide = function* (): Generator<Uint8Array> {
    for (const luma of lumas()) {
      const picture = new Uint8Array(luma.length * 2).fill(128);
      picture.set(luma);
      yield picture;
    }
  };
  const coding = { encoder: 'mjpeg', bitrateBps: 4_000_000, pixelFormat: AV_PIX_FMT_YUVJ422P, qMin: 2, qMax: 5 };
  await writeClip(path, { ...FAKE_CAMERA, ...coding }, wide());
  return apart(readFileSync(path));
}

/** JPEGs that stand one behind the other: within one of them its first marker, FF D8 FF, cannot be (ITU-T T.81 section B.1.1.5). */
function apart(bytes: Buffer): readonly Uint8Array[] {
  const marker = Buffer.from([0xff, 0xd8, 0xff]);
  const starts: number[] = [];
  for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, at + 1)) starts.push(at);
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1]));
}

function withLength(picture: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(picture.length);
  return Buffer.concat([length, picture]);
}
