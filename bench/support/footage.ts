import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AV_PIX_FMT_YUV420P, SWS_BICUBIC } from 'node-av/constants';
import { FFmpegError, Frame, SoftwareScaleContext } from 'node-av/lib';
import { parseMediaLocation } from '../../src/source/file/media-location.js';
import { VideoReader } from '../../src/source/file/video-reader.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';

/** Pictures kept of each scene, 2 s at 30 fps; played forth and back, so that repeating them makes no cut. */
const PICTURES = 60;
/** Frames of one scene between two cuts. */
const SCENE_FRAMES = 75;
/** Frames that a still scene stays still. */
const STILL_FRAMES = 150;
/** How far a pan moves, in pixels a frame. */
const PAN_PIXELS = 6;
/** Half of the range of sensor noise, in luma steps. */
const NOISE_STEPS = 6;
/** Pictures of a clip's beginning that are left out: hands at the camera, fades. */
const CLIP_LEAD_IN = 30;

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** An endless video of tightly packed I420 pictures, the same on every run. */
export interface Footage extends PictureSize {
  readonly name: string;
  pictureAt(index: number): Uint8Array;
}

/** The street of the test pattern with the noise of a sensor on it: there is always more to encode than any rate has room for; `count` pictures of it. */
export function noisyFootage(size: PictureSize, count = PICTURES): Footage {
  const pictures = drawScene(size, 1, count).map((picture, index) => withNoise(picture, index + 1));
  return { name: 'noise', ...size, pictureAt: (index) => forthAndBack(pictures, index) };
}

/** What is hard for a rate control: cuts, a still scene that begins to move, a fast pan. */
export function hardFootage(size: PictureSize): readonly Footage[] {
  const scenes = [2, 3, 4].map((cameraId) => drawScene(size, cameraId));
  const scene = (index: number) => scenes[index % scenes.length] ?? [];
  const first = scene(0);
  return [
    { name: 'cuts', ...size, pictureAt: (i) => forthAndBack(scene(Math.floor(i / SCENE_FRAMES)), i) },
    {
      name: 'still',
      ...size,
      pictureAt: (i) => forthAndBack(first, i % (2 * STILL_FRAMES) < STILL_FRAMES ? 0 : i % STILL_FRAMES),
    },
    { name: 'pan', ...size, pictureAt: (i) => panned(first[0] ?? new Uint8Array(0), size, i * PAN_PIXELS) },
  ];
}

/** The clips in the folder that FRAMELOCK_CLIPS names, scaled; none where it is not set. */
export async function cameraFootage(size: PictureSize): Promise<readonly Footage[]> {
  const folder = process.env['FRAMELOCK_CLIPS'];
  if (folder === undefined || folder === '') return [];
  const names = readdirSync(folder).filter((name) => /\.(?:mp4|avi|mkv|webm)$/.test(name));
  const footage: Footage[] = [];
  for (const name of names.toSorted()) {
    const pictures = await readClip(join(folder, name), size);
    footage.push({ name, ...size, pictureAt: (index) => forthAndBack(pictures, index) });
  }
  return footage;
}

function forthAndBack(pictures: readonly Uint8Array[], index: number): Uint8Array {
  const turn = index % (2 * pictures.length);
  const picture = pictures[turn < pictures.length ? turn : 2 * pictures.length - 1 - turn];
  if (picture === undefined) throw new RangeError('footage without pictures');
  return picture;
}

function drawScene({ width, height }: PictureSize, cameraId: number, count = PICTURES): readonly Uint8Array[] {
  const renderer = TestPatternRenderer.create({ width, height, framerate: 30, label: 'BENCH', cameraId });
  return Array.from({ length: count }, (_, index) => {
    const data = new Uint8Array(renderer.sizeBytes);
    renderer.render(data, index, 1_700_000_000_000_000 + index * 33_333);
    return data;
  });
}

/** The constants of the generator are those of Numerical Recipes, section 7.1. */
function withNoise(picture: Uint8Array, seed: number): Uint8Array {
  let state = seed;
  return picture.map((level) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.min(Math.max(level + ((state >>> 16) % (2 * NOISE_STEPS + 1)) - NOISE_STEPS, 16), 235);
  });
}

/** The picture moved to the left, its left edge coming in again from the right. */
function panned(picture: Uint8Array, { width, height }: PictureSize, pixels: number): Uint8Array {
  const moved = new Uint8Array(picture.length);
  let start = 0;
  for (const [stride, rows] of [
    [width, height],
    [width / 2, height],
  ] as const) {
    const shift = ((pixels * stride) / width) % stride;
    for (const end = start + stride * rows; start < end; start += stride) {
      moved.set(picture.subarray(start + shift, start + stride), start);
      moved.set(picture.subarray(start, start + shift), start + stride - shift);
    }
  }
  return moved;
}

async function readClip(path: string, { width, height }: PictureSize): Promise<readonly Uint8Array[]> {
  const reader = new VideoReader(parseMediaLocation(path));
  try {
    await reader.open();
    const { format } = reader;
    const source = new Uint8Array((format.width * format.height * 3) / 2);
    using scaler = new PictureScaler(format, { width, height });
    const pictures: Uint8Array[] = [];
    for (let index = 0; pictures.length < PICTURES && (await reader.next()); index += 1) {
      if (index < CLIP_LEAD_IN) continue;
      reader.copyPicture(source);
      pictures.push(scaler.scale(source));
    }
    return pictures;
  } finally {
    await reader.close();
  }
}

class PictureScaler implements Disposable {
  readonly #scaler = new SoftwareScaleContext();
  readonly #input: Frame;
  readonly #output: Frame;

  constructor(from: PictureSize, to: PictureSize) {
    this.#input = frameOf(from);
    this.#output = frameOf(to);
    this.#scaler.getContext(
      from.width,
      from.height,
      AV_PIX_FMT_YUV420P,
      to.width,
      to.height,
      AV_PIX_FMT_YUV420P,
      SWS_BICUBIC,
    );
  }

  scale(picture: Uint8Array): Uint8Array {
    const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength);
    FFmpegError.throwIfError(this.#input.fromBuffer(bytes), 'take a picture');
    FFmpegError.throwIfError(this.#scaler.scaleFrameSync(this.#output, this.#input), 'scale a picture');
    return new Uint8Array(this.#output.toBuffer());
  }

  [Symbol.dispose](): void {
    this.#input.free();
    this.#output.free();
    this.#scaler.freeContext();
  }
}

function frameOf({ width, height }: PictureSize): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.format = AV_PIX_FMT_YUV420P;
  frame.width = width;
  frame.height = height;
  FFmpegError.throwIfError(frame.getBuffer(), 'allocate a picture');
  return frame;
}
