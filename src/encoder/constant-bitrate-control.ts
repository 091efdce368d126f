import { FrameIntervalMeter } from './frame-interval.js';
import type { RateControl, RateSettings } from './rate-control.js';
import { type RateLimitation, RateLimitationMeter } from './rate-limitation.js';
import type { RawVideoFrame } from './video-frame.js';

/** Length of the rate buffer: what a frame may take at most, beyond its fair size, in seconds at the target rate. */
const BUFFER_SECONDS = 0.3;

/** Deviation from the frame rate in use that is worth telling the encoder about. */
const FRAMERATE_TOLERANCE = 0.05;

/** FFmpeg tells x264 rates and buffers in whole kilobits; a buffer of 0 would lift the limit altogether. */
const LEAST_BPS = 10_000;

/** H.264's quantizers (ITU-T H.264 section 7.4.2.2), and where libwebrtc begins to scale up (kLowH264QpThreshold in h264_encoder_impl.cc). */
const SCALE = { coarsest: 51, fine: 24 } as const;

/** The settings that hold `bitrateBps`. */
export function constantBitrateSettings(bitrateBps: number): Required<Pick<RateSettings, 'peakBps' | 'bufferBits'>> {
  const peakBps = Math.round(Math.max(bitrateBps, LEAST_BPS));
  return { peakBps, bufferBits: Math.round(peakBps * BUFFER_SECONDS) };
}

/**
 * Rate control of an encoder that holds a peak rate by itself but counts time in frames, as x264 does without variable-frame-rate
 * input: at half the expected frame rate it would spend half the target. So the rate it is told is scaled by expected over measured
 * frame rate.
 */
export class ConstantBitrateControl implements RateControl {
  readonly #nominalUs: number;
  readonly #interval: FrameIntervalMeter;
  readonly #limitation = new RateLimitationMeter(SCALE);
  #targetBps: number;
  #elapsedUs = 0;
  #intervalUs: number;

  /**
   * @param targetBps In bits per second.
   * @param framerate What the encoder was told, in frames per second.
   */
  constructor(targetBps: number, framerate: number) {
    this.#targetBps = targetBps;
    this.#nominalUs = 1_000_000 / framerate;
    this.#intervalUs = this.#nominalUs;
    this.#interval = new FrameIntervalMeter(framerate);
  }

  get limitation(): RateLimitation {
    return this.#limitation.value;
  }

  setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  plan({ timestamp }: Pick<RawVideoFrame, 'timestamp'>): RateSettings {
    this.#elapsedUs = this.#interval.observe(timestamp);
    const measuredUs = this.#interval.smoothedUs;
    if (Math.abs(measuredUs / this.#intervalUs - 1) > FRAMERATE_TOLERANCE) this.#intervalUs = measuredUs;
    return constantBitrateSettings((this.#targetBps * this.#intervalUs) / this.#nominalUs);
  }

  /** The encoder keeps its own account; its quantizer tells how hard that is. */
  encoded(_sizeBytes: number, _type: 'key' | 'delta', quantizer?: number): void {
    if (quantizer !== undefined) this.#limitation.observe(this.#elapsedUs, quantizer);
  }
}
