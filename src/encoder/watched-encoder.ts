import { isFramelockError } from '../core/errors.js';
import type { ReadResult, VideoEncoder, VideoEncoderConfig } from './encoder.js';
import type { RateLimitation } from './rate-limitation.js';

/** Failures in a row after which an encoder counts as broken; the sender then replaces it. */
const FAILURES_UNTIL_BROKEN = 3;

/** An encoder whose failures are counted: it is told once that it is broken. Otherwise it is the encoder that it wraps. */
export class WatchedEncoder implements VideoEncoder {
  readonly config: Readonly<VideoEncoderConfig>;
  readonly implementation: string;
  readonly #encoder: VideoEncoder;
  readonly #broken: (error: unknown) => void;
  #failuresInARow = 0;

  /** @param broken told of the third failure in a row of native code; a frame that was refused is no failure */
  constructor(encoder: VideoEncoder, broken: (error: unknown) => void) {
    this.#encoder = encoder;
    this.config = encoder.config;
    this.implementation = encoder.implementation;
    this.#broken = broken;
  }

  get limitation(): RateLimitation | undefined {
    return this.#encoder.limitation;
  }

  async read(): Promise<ReadResult> {
    try {
      const result = await this.#encoder.read();
      if (result.kind === 'chunk') this.#failuresInARow = 0;
      return result;
    } catch (error) {
      if (isFramelockError(error, 'ENCODER_FAILED')) {
        this.#failuresInARow += 1;
        if (this.#failuresInARow === FAILURES_UNTIL_BROKEN) this.#broken(error);
      }
      throw error;
    }
  }

  setBitrate(bitrateBps: number): void {
    this.#encoder.setBitrate(bitrateBps);
  }

  forceKeyFrame(): void {
    this.#encoder.forceKeyFrame();
  }

  close(): Promise<void> {
    return this.#encoder.close();
  }
}
