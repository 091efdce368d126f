/**
 * An open native resampler of sound to 48 kHz: 20 ms in, 20 ms out, at once. It does no checking. Its owner passes frames of the right
 * format and size, and frees it once. It has a state: every frame continues the one before.
 */
export interface NativeAudioResampler {
  /** How long before its frame each output begins, in microseconds: a filter needs what follows, so it holds back that much. */
  readonly delayUs: number;
  /**
   * Some 50 us a frame.
   * @param samples interleaved
   * @returns interleaved samples at 48 kHz, valid until the next call
   */
  resample(samples: Uint8Array): Uint8Array;
  /** Forgets what is held back: the next frame does not continue the one before. */
  restart(): void;
  /** Frees everything native. Called exactly once. */
  free(): void;
}
