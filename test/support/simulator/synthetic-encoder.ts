import type { Chance } from './chance.js';

/** What a {@link SyntheticEncoder} is like. */
export interface SyntheticEncoderOptions {
  readonly chance: Chance;
  readonly framerate: number;
  /** Its frames are this many times what they should be. @default 1 */
  readonly overshoot?: number;
  /** Sends no more than this, in bits per second, as a still scene does. @default no bound */
  readonly contentBps?: (nowUs: number) => number;
  /** Makes this, in bits per second, whatever it is asked for. @default what it is asked for */
  readonly stubbornBps?: number;
}

/** Frames deviate from their fair size by this share, on the average. */
const NOISE = 0.15;
/** Key frames are this many times as large. */
const KEY_FRAME_FACTOR = [5, 8] as const;
/** A new target shows after so many frames, but for key frames. */
const LAG_FRAMES = 2;

/** An encoder that follows its target late and noisily, as real ones do. */
export class SyntheticEncoder {
  readonly #options: SyntheticEncoderOptions;
  readonly #targets: number[] = [];
  #mustBeKey = true;

  constructor(options: SyntheticEncoderOptions) {
    this.#options = options;
  }

  forceKeyFrame(): void {
    this.#mustBeKey = true;
  }

  /** The size of the next frame, in bytes. */
  next(targetBps: number, nowUs: number): number {
    const { chance, framerate, overshoot = 1, contentBps, stubbornBps } = this.#options;
    this.#targets.push(stubbornBps ?? targetBps);
    if (this.#targets.length > LAG_FRAMES + 1) this.#targets.shift();
    // The quantizer of a key frame is chosen anew.
    const followedBps = this.#mustBeKey ? this.#targets.at(-1) : this.#targets[0];
    const heldBps = Math.min(followedBps ?? targetBps, contentBps?.(nowUs) ?? Number.POSITIVE_INFINITY);
    const fair = (overshoot * heldBps) / framerate / 8;
    const factor = this.#mustBeKey ? chance.uniform(...KEY_FRAME_FACTOR) : Math.max(1 + chance.laplace(NOISE), 0.2);
    this.#mustBeKey = false;
    return Math.max(Math.round(fair * factor), 100);
  }
}
