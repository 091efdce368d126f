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
}

/**
 * Keeps one encoder to its target rate. Pure arithmetic over capture times and sizes: no clock, no native code.
 *
 * Owned by the encoder, which calls `plan` before each frame and, if the frame was encoded, `encoded` after it.
 */
export interface RateControl {
  /** The target in bits per second from the next frame on. */
  setTarget(targetBps: number): void;
  /** The settings for the frame captured at `timestampUs`; undefined: do not encode it. A key frame is never refused. */
  plan(timestampUs: number, keyFrame: boolean): RateSettings | undefined;
  /** What the planned frame came to. */
  encoded(sizeBytes: number, type: 'key' | 'delta'): void;
}
