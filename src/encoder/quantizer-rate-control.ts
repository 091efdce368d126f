import { FrameIntervalMeter } from './frame-interval.js';
import type { RateControl, RateSettings } from './rate-control.js';

/** The quantizers that may be used, on libvpx's 0 to 63 scale. Below 4 a picture gets larger, not visibly better. */
export const MIN_QUANTIZER = 4;
export const MAX_QUANTIZER = 63;

/** The buffer's ends, in frames' worth of the target: half a second at 30 frames per second. */
const BUFFER_LIMIT_FRAMES = 15;

/** A debt is paid back over about this many frames. */
const REPAY_FRAMES = 10;

/** A frame is asked to be no smaller than this share of its fair size, however deep the debt. */
const LEAST_SHARE = 0.3;

/** Quantizer steps for a frame of double size, and the most that one frame may move it, down and up. */
const STEPS_PER_OCTAVE = 3;
const LARGEST_STEP_DOWN = 6;
const LARGEST_STEP_UP = 8;

/** Steps that halve an intra-coded picture: 12 to 14 for libvpx VP8 on camera footage of 480p and 720p. */
const INTRA_STEPS_PER_OCTAVE = 13;

/** Bits a pixel of an intra picture at quantizer 0, until the first key frame is measured: busy camera footage. */
const ASSUMED_INTRA_BITS_PER_PIXEL = 2.5;

/** What a key frame may take, in frames' worth of the target. Delta frames at the same quantizer then take about one. */
const KEY_FRAME_BUDGET = 6;

/** What a change of scene may take: no still picture is refined beyond the quantizer that would make it larger. */
const SCENE_CHANGE_BUDGET = 20;

/** Debts at which frames begin and cease to be skipped, in frames' worth of the target. */
const SKIP_ABOVE_FRAMES = 10;
const SKIP_DOWN_TO_FRAMES = 8;

/** What {@link QuantizerRateControl} starts from. */
export interface QuantizerRateControlOptions {
  /** In bits per second. */
  readonly targetBps: number;
  /** Assumed until capture times tell better, in frames per second. */
  readonly framerate: number;
  /** Width times height. */
  readonly pixels: number;
}

/**
 * Keeps an encoder whose only live control is its largest quantizer (libvpx through FFmpeg) to a target rate.
 *
 * A leaky buffer holds the debt: it fills by every frame's size and leaks at the target rate. After each frame the quantizer moves by
 * the logarithm of its size over its fair size, less a share of the debt. Key frames bypass that loop, since their size says little
 * about the next delta frame: their quantizer comes from a running estimate of what an intra picture takes, and the loop goes on from
 * there. The same estimate bounds how far a still picture is refined, so that a change of scene is not a burst of a whole second.
 *
 * **At the largest quantizer** there is nothing left to turn: 720p does not get below some 200 to 600 kbit/s. Then frames are
 * skipped: from a debt of 10 frames' worth on, every frame is skipped that finds more than 8, until the quantizer comes off its end.
 * The band is narrow on purpose, since a longer gap makes the next frame larger by as much as it saved. Key frames are never
 * skipped. A frame rate that has become too low is for the owner to see (by the `skipped` results) and to answer with a smaller
 * picture.
 */
export class QuantizerRateControl implements RateControl {
  readonly #interval: FrameIntervalMeter;
  #targetBps: number;
  #quantizer: number;
  #debtBytes = 0;
  #skipping = false;
  /** log2 of the bytes of an intra picture at quantizer 0. */
  #intraLog2Bytes: number;
  /** The quantizer of the planned frame. */
  #planned: number;

  constructor(options: QuantizerRateControlOptions) {
    this.#interval = new FrameIntervalMeter(options.framerate);
    this.#targetBps = options.targetBps;
    this.#intraLog2Bytes = Math.log2((options.pixels * ASSUMED_INTRA_BITS_PER_PIXEL) / 8);
    this.#quantizer = this.#quantizerForIntra(KEY_FRAME_BUDGET);
    this.#planned = this.#quantizer;
  }

  setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  plan(timestampUs: number, keyFrame: boolean): RateSettings | undefined {
    const elapsedUs = this.#interval.observe(timestampUs);
    const fairBytes = this.#fairBytes();
    this.#debtBytes = Math.max(this.#debtBytes - this.#bytesIn(elapsedUs), -BUFFER_LIMIT_FRAMES * fairBytes);
    if (keyFrame) {
      this.#planned = this.#quantizerForIntra(KEY_FRAME_BUDGET);
      return { maxQuantizer: this.#planned };
    }
    if (this.#mustSkip(this.#debtBytes / fairBytes)) return undefined;
    this.#planned = Math.round(Math.max(this.#quantizer, this.#quantizerForIntra(SCENE_CHANGE_BUDGET)));
    return { maxQuantizer: this.#planned };
  }

  encoded(sizeBytes: number, type: 'key' | 'delta'): void {
    const fairBytes = this.#fairBytes();
    this.#debtBytes = Math.min(this.#debtBytes + sizeBytes, BUFFER_LIMIT_FRAMES * fairBytes);
    const intraLog2Bytes = Math.log2(Math.max(sizeBytes, 1)) + this.#planned / INTRA_STEPS_PER_OCTAVE;
    if (type === 'key') {
      this.#intraLog2Bytes = intraLog2Bytes;
      this.#quantizer = Math.max(this.#quantizer, this.#planned);
      return;
    }
    this.#intraLog2Bytes = Math.max(this.#intraLog2Bytes, intraLog2Bytes);
    const wantedBytes = Math.max(LEAST_SHARE * fairBytes, fairBytes - this.#debtBytes / REPAY_FRAMES);
    const step = STEPS_PER_OCTAVE * Math.log2(Math.max(sizeBytes, 1) / wantedBytes);
    const boundedStep = Math.min(Math.max(step, -LARGEST_STEP_DOWN), LARGEST_STEP_UP);
    this.#quantizer = clampQuantizer(this.#quantizer + boundedStep);
  }

  #mustSkip(debtFrames: number): boolean {
    const pinned = Math.round(this.#quantizer) === MAX_QUANTIZER;
    this.#skipping = pinned && (this.#skipping || debtFrames > SKIP_ABOVE_FRAMES);
    return this.#skipping && debtFrames > SKIP_DOWN_TO_FRAMES;
  }

  /** The least quantizer at which an intra picture takes at most `frames` frames' worth of the target. */
  #quantizerForIntra(frames: number): number {
    const excessOctaves = this.#intraLog2Bytes - Math.log2(frames * this.#fairBytes());
    return clampQuantizer(Math.ceil(INTRA_STEPS_PER_OCTAVE * excessOctaves));
  }

  #fairBytes(): number {
    return this.#bytesIn(this.#interval.smoothedUs);
  }

  #bytesIn(durationUs: number): number {
    return (this.#targetBps * durationUs) / 8_000_000;
  }
}

function clampQuantizer(quantizer: number): number {
  return Math.min(Math.max(quantizer, MIN_QUANTIZER), MAX_QUANTIZER);
}
