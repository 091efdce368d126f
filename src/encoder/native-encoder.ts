import type { RateSettings } from './rate-control.js';

/** What one call of a native encoder is told, besides the picture. */
export interface EncodeJob {
  /** Number of frames encoded before this one. */
  readonly index: number;
  /** Capture time of the frame in microseconds. */
  readonly timestampUs: number;
  readonly keyFrame: boolean;
  /** Whether no later frame may depend on it, since it is of an upper temporal layer. */
  readonly discardable: boolean;
  readonly settings: RateSettings;
}

/** What one call of a native encoder came to. */
export interface NativeChunk {
  /** Valid until `release`. */
  readonly data: Uint8Array;
  readonly type: 'key' | 'delta';
  /** Whether no later frame will depend on it, for an encoder that decides otherwise where the picture turns out to be another scene. @default as it was told */
  readonly discardable?: boolean;
  /** On the codec's own scale, where the encoder tells it. */
  readonly quantizer?: number;
  /** Gives the native memory back. Called at most once, and before the next `encode`. */
  release(): void;
}

/**
 * An open native encoder: one chunk out per picture in. It does no checking. Its owner passes tightly packed pictures of the right
 * format and size, makes one call at a time, leaves the picture alone until the call settles, and frees it when no call is pending
 * and no chunk is out. Breaking any of these crashes the process.
 */
export interface NativeEncoder {
  encode(picture: Uint8Array, job: EncodeJob): Promise<NativeChunk>;
  /** Frees everything native. Called exactly once. */
  free(): void;
}
