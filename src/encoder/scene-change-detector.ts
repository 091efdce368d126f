import type { RawVideoFrame } from './video-frame.js';

/**
 * Brightness is compared by blocks, since a block keeps its brightness while something moves within it; a pixel does not. Every eighth
 * pixel of every eighth row is looked at: 14,400 of a 1280x720 picture, in some 40 microseconds.
 */
const BLOCK_PIXELS = 64;
const SAMPLE_PIXELS = 8;

/** Mean change of the blocks below which a picture is no other scene, in luma steps. Noise and slow motion stay below 1. */
const LEAST_CHANGE = 2;

/** Another scene changes this many times as much as the pictures before it. Camera motion sets in over several frames, a cut does not. */
const SUDDEN = 3;

/** Weight of one picture in the average change. */
const SMOOTHING = 1 / 4;

/**
 * Tells pictures that have little to do with the one before: a cut, a light that goes on, a camera that is knocked. What it misses, rate
 * control sees one frame later, by the size.
 */
export class SceneChangeDetector {
  #last: Uint16Array = new Uint16Array(0);
  #lastChange = 0;
  #averageChange: number | undefined;

  /** Takes the next picture; whether its scene is another one. Never for the first two, which tell how much moves. */
  observe(frame: RawVideoFrame): boolean {
    const blocks = blockBrightness(frame);
    const last = this.#last;
    this.#last = blocks;
    if (last.length !== blocks.length) return false;
    const change = meanDifference(last, blocks) / (BLOCK_PIXELS / SAMPLE_PIXELS) ** 2;
    const average = this.#averageChange ?? change;
    const isOther = change > Math.max(LEAST_CHANGE, SUDDEN * average, SUDDEN * this.#lastChange);
    this.#lastChange = change;
    // A cut says nothing about the motion that follows; if it was motion that set in, the next picture says so.
    if (!isOther) this.#averageChange = average + SMOOTHING * (change - average);
    return isOther;
  }
}

/** Sums of the luma samples of each block; a block that the edge cuts off has fewer of them. */
function blockBrightness({ data, layout, codedWidth, codedHeight }: RawVideoFrame): Uint16Array {
  const { offset, stride } = layout?.[0] ?? { offset: 0, stride: codedWidth };
  const columns = Math.ceil(codedWidth / BLOCK_PIXELS);
  const sums = new Uint16Array(columns * Math.ceil(codedHeight / BLOCK_PIXELS));
  for (let y = 0; y < codedHeight; y += SAMPLE_PIXELS) {
    const firstBlock = Math.floor(y / BLOCK_PIXELS) * columns;
    const start = offset + y * stride;
    for (let x = 0; x < codedWidth; x += SAMPLE_PIXELS) {
      const block = firstBlock + Math.floor(x / BLOCK_PIXELS);
      sums[block] = (sums[block] ?? 0) + (data[start + x] ?? 0);
    }
  }
  return sums;
}

function meanDifference(before: Uint16Array, after: Uint16Array): number {
  let sum = 0;
  for (let index = 0; index < after.length; index += 1) sum += Math.abs((after[index] ?? 0) - (before[index] ?? 0));
  return sum / after.length;
}
