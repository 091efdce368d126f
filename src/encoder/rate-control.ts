import type { RateLimitation } from './rate-limitation.js';
import type { RawVideoFrame } from './video-frame.js';

/** What an open encoder is told before a frame; fields that a codec does not take are absent. */
export interface RateSettings {
  /** Average rate in bits per second of a codec that aims at one. */
  readonly averageBps?: number;
  /** Peak rate in bits per second of a codec that holds a rate by itself. */
  readonly peakBps?: number;
  /** Size of its rate buffer in bits. */
  readonly bufferBits?: number;
  /** Largest quantizer that it may use for this frame, on the codec's scale. */
  readonly maxQuantizer?: number;
  /** Largest quantizer if the picture turns out to be another scene, for an encoder that finds out by itself. */
  readonly otherSceneQuantizer?: number;
}

/**
 * Keeps one encoder to its target rate. Pure arithmetic over capture times, sizes and brightness: no clock, no native code.
 *
 * Owned by the encoder, which calls `plan` before each frame and, if the frame was encoded, `encoded` after it.
 */
export interface RateControl {
  /** How the target suits the size of the pictures, where it can be told. */
  readonly limitation?: RateLimitation;
  /** The target in bits per second from the next frame on. */
  setTarget(targetBps: number): void;
  /** The settings for a valid frame, by its capture time, picture and temporal layer; undefined: do not encode it. A key frame is never refused. */
  plan(frame: RawVideoFrame, keyFrame: boolean, temporalLayerId: number): RateSettings | undefined;
  /** What the planned frame came to; its quantizer, if the encoder chose it; its temporal layer, which may have become layer 0. */
  encoded(sizeBytes: number, type: 'key' | 'delta', quantizer: number | undefined, temporalLayerId: number): void;
}
