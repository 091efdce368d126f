import { FrameIntervalMeter } from './frame-interval.js';
import { FrameSizeModel } from './frame-size-model.js';
import type { RateControl, RateSettings } from './rate-control.js';
import { type RateLimitation, RateLimitationMeter } from './rate-limitation.js';
import { SceneChangeDetector } from './scene-change-detector.js';
import type { RawVideoFrame } from './video-frame.js';

/** The quantizers that may be used, on libvpx's 0 to 63 scale. Below 4 a picture gets larger, not visibly better. */
export const MIN_QUANTIZER = 4;
export const MAX_QUANTIZER = 63;

/** Where libwebrtc begins to scale up: 29 of 127 (kLowVp8QpThreshold in libvpx_vp8_encoder.cc) is 24 of 63. */
const FINE_QUANTIZER = 24;

/** Steps that halve a frame. Intra pictures: 12 to 14 for libvpx on camera footage. Others: 7 for noise, 11 for smooth motion. */
const INTRA_STEPS_PER_OCTAVE = 13;
const DELTA_STEPS_PER_OCTAVE = 9;

/** Bits a pixel at quantizer 0, until frames are measured: an intra picture of busy camera footage, and a quarter of it. */
const ASSUMED_INTRA_BITS_PER_PIXEL = 3;
const ASSUMED_DELTA_SHARE = 1 / 4;

/** Weight of one frame in what delta frames are expected to be: three steps for an octave, stable for slopes from 1.5 steps on. */
const LEARNING = 1 / 3;

/** A frame larger than expected by this many octaves may be a scene that the detector missed: it alone teaches next to nothing. */
const OUTLIER_OCTAVES = 1.5;
const OUTLIER_LEARNING = 1 / 10;

/** A finer picture has to be refined from the coarser one before it, which makes its first frames large: not all at once. */
const LARGEST_STEP_DOWN = 3;

/** A debt is paid back over about this many frames. */
const REPAY_FRAMES = 7;

/** What a frame may be asked to take, however deep the debt or high the credit, as a share of its fair size. */
const LEAST_SHARE = 0.3;
const LARGEST_SHARE = 1.5;

/**
 * The ends of the buffer, in frames' worth of the target. What a still scene leaves is not saved up for long, or the motion after it
 * would be a burst; what a burst took beyond two thirds of a second is forgiven.
 */
const LARGEST_CREDIT_FRAMES = 3;
const LARGEST_DEBT_FRAMES = 20;

/** What a key frame or another scene may take, in frames' worth of the target: peaks of four, less the error of the estimate. */
const INTRA_BUDGET_FRAMES = 3.5;

/** What an unforeseen change of scene may take: no still picture is refined beyond the quantizer that would make it larger. */
const UNFORESEEN_BUDGET_FRAMES = 30;

/** Debts at which frames begin and cease to be skipped, in frames' worth of the target: less than a tenth of two seconds. */
const SKIP_ABOVE_FRAMES = 5;
const SKIP_DOWN_TO_FRAMES = 4;

/** What {@link QuantizerRateControl} starts from. */
export interface QuantizerRateControlOptions {
  /** In bits per second. */
  readonly targetBps: number;
  /** Assumed until capture times tell better, in frames per second. */
  readonly framerate: number;
  /** Width times height. */
  readonly pixels: number;
  /** What a key frame or another scene may take, in frames' worth of the target. @default 3.5 */
  readonly intraBudgetFrames?: number;
  /** What a delta frame of each temporal layer may take, in frames' worth of the target: one on the average of the layers' frames. @default [1] */
  readonly frameShares?: readonly number[];
}

/** The delta frames of one temporal layer. */
interface Layer {
  readonly share: number;
  readonly model: FrameSizeModel;
}

/**
 * Keeps an encoder whose only live control is its largest quantizer (libvpx through FFmpeg) to a target rate.
 *
 * A leaky buffer holds the debt: it fills by every frame's size and leaks at the target rate. Each frame is to take its fair size less a
 * share of the debt, and a model of what frames take gives the quantizer for it: at once when the target changes, and from frame to
 * frame as the model learns. Intra pictures have a model of their own, for their size says little about the next delta frame. It bounds
 * key frames, scenes that change (seen before they are encoded), and how far a still picture is refined.
 *
 * **Temporal layers** have a model and a share each; refinement is counted from the last frame of layer 0, to which all refer.
 *
 * **At the largest quantizer** there is nothing left to turn: 720p does not get below some 200 to 600 kbit/s. Then frames are
 * skipped: from a debt of 5 frames' worth on, every frame is skipped that finds more than 4, until the quantizer comes off its end.
 * The band is narrow on purpose, since a longer gap makes the next frame larger by as much as it saved. Key frames are never
 * skipped. `limitation.starvedUs` tells the owner when to answer with smaller pictures.
 */
export class QuantizerRateControl implements RateControl {
  readonly #interval: FrameIntervalMeter;
  readonly #scenes = new SceneChangeDetector();
  readonly #limitation = new RateLimitationMeter({ coarsest: MAX_QUANTIZER, fine: FINE_QUANTIZER });
  readonly #intra: FrameSizeModel;
  /** By temporal layer. */
  readonly #layers: readonly [Layer, ...Layer[]];
  readonly #intraBudgetFrames: number;
  #targetBps: number;
  #debtFrames = 0;
  #skipping = false;
  #wasOutlier = false;
  /** The layer of the frame that is planned, or was last. */
  #layer: Layer;
  /** Its quantizer. */
  #planned = MAX_QUANTIZER;
  /** That of the last frame of layer 0. */
  #basePlanned = MAX_QUANTIZER;

  constructor({
    targetBps,
    framerate,
    pixels,
    intraBudgetFrames = INTRA_BUDGET_FRAMES,
    frameShares = [1],
  }: QuantizerRateControlOptions) {
    this.#intraBudgetFrames = intraBudgetFrames;
    const intraBytes = (pixels * ASSUMED_INTRA_BITS_PER_PIXEL) / 8;
    this.#interval = new FrameIntervalMeter(framerate);
    this.#targetBps = targetBps;
    this.#intra = new FrameSizeModel(INTRA_STEPS_PER_OCTAVE, intraBytes);
    const layer = (share: number): Layer => ({
      share,
      model: new FrameSizeModel(DELTA_STEPS_PER_OCTAVE, intraBytes * ASSUMED_DELTA_SHARE),
    });
    const [base = 1, ...upper] = frameShares;
    this.#layers = [layer(base), ...upper.map(layer)];
    this.#layer = this.#layers[0];
  }

  get limitation(): RateLimitation {
    return this.#limitation.value;
  }

  /** The debt is kept in frames' worth: what was owed at 4 Mbit/s would silence a track at 150 kbit/s for seconds. */
  setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  plan(frame: RawVideoFrame, keyFrame: boolean, temporalLayerId = 0): RateSettings | undefined {
    this.#layer = this.#layerOf(temporalLayerId);
    const elapsedUs = this.#interval.observe(frame.timestamp);
    const isOtherScene = this.#scenes.observe(frame);
    this.#debtFrames = Math.max(this.#debtFrames - elapsedUs / this.#interval.smoothedUs, -LARGEST_CREDIT_FRAMES);
    const wanted = keyFrame ? this.#quantizerForIntra(this.#intraBudgetFrames) : this.#quantizerForDelta(isOtherScene);
    if (!keyFrame && this.#mustSkip(wanted)) {
      this.#limitation.observe(elapsedUs, MAX_QUANTIZER);
      return undefined;
    }
    this.#planned = Math.min(Math.max(Math.round(wanted), MIN_QUANTIZER), MAX_QUANTIZER);
    this.#limitation.observe(elapsedUs, this.#planned);
    const otherScene = Math.min(
      Math.max(this.#quantizerForIntra(this.#intraBudgetFrames), this.#planned),
      MAX_QUANTIZER,
    );
    return { maxQuantizer: this.#planned, otherSceneQuantizer: otherScene };
  }

  /** @param quantizer what the encoder used, where it tells: it may find another scene by itself */
  encoded(sizeBytes: number, type: 'key' | 'delta', quantizer: number = this.#planned, temporalLayerId = 0): void {
    this.#layer = this.#layerOf(temporalLayerId);
    this.#planned = quantizer;
    if (this.#layer === this.#layers[0]) this.#basePlanned = quantizer;
    this.#debtFrames = Math.min(this.#debtFrames + sizeBytes / this.#fairBytes(), LARGEST_DEBT_FRAMES);
    const intraSurprise = this.#intra.surprise(sizeBytes, this.#planned);
    // No picture is larger than its intra coding: a delta frame that is teaches what a key frame would now take at least.
    this.#intra.learn(type === 'key' ? intraSurprise : Math.max(intraSurprise, 0));
    if (type === 'delta') this.#learnDelta(this.#layer.model.surprise(sizeBytes, this.#planned));
  }

  #layerOf(temporalLayerId: number): Layer {
    return this.#layers[temporalLayerId] ?? this.#layers[0];
  }

  #learnDelta(surprise: number): void {
    const isOutlier = surprise > OUTLIER_OCTAVES;
    this.#layer.model.learn(surprise * (isOutlier && !this.#wasOutlier ? OUTLIER_LEARNING : LEARNING));
    this.#wasOutlier = isOutlier;
  }

  #quantizerForDelta(isOtherScene: boolean): number {
    const share = Math.min(Math.max(1 - this.#debtFrames / REPAY_FRAMES, LEAST_SHARE), LARGEST_SHARE);
    return Math.max(
      this.#layer.model.quantizerFor(this.#layer.share * share * this.#fairBytes()),
      this.#quantizerForIntra(isOtherScene ? this.#intraBudgetFrames : UNFORESEEN_BUDGET_FRAMES),
      this.#basePlanned - LARGEST_STEP_DOWN,
    );
  }

  #quantizerForIntra(frames: number): number {
    return Math.ceil(this.#intra.quantizerFor(frames * this.#fairBytes()));
  }

  #mustSkip(wanted: number): boolean {
    const isPinned = this.#planned === MAX_QUANTIZER && Math.round(wanted) >= MAX_QUANTIZER;
    this.#skipping = isPinned && (this.#skipping || this.#debtFrames > SKIP_ABOVE_FRAMES);
    return this.#skipping && this.#debtFrames > SKIP_DOWN_TO_FRAMES;
  }

  /** What a frame takes if all take the same, in bytes. */
  #fairBytes(): number {
    return (this.#targetBps * this.#interval.smoothedUs) / 8_000_000;
  }
}
