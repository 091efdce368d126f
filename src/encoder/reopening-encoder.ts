import type { EncodeJob, NativeChunk, NativeEncoder } from './native-encoder.js';
import { ReopenPolicy } from './reopen-policy.js';

/** The parts of a {@link ReopeningEncoder}. */
export interface ReopeningEncoderParts {
  /** Owned from here on: freed by `free()` or when another takes its place. */
  readonly native: NativeEncoder;
  /** What it was opened at, in bits per second. */
  readonly bitrateBps: number;
  /** Opens another one. */
  readonly open: (bitrateBps: number) => Promise<NativeEncoder>;
}

/**
 * Follows a changing rate with native encoders that keep theirs for life: opens another one in the place of the one in force, between two
 * frames, as {@link ReopenPolicy} calls for it. The first frame of the new one is a key frame and reported as such.
 *
 * Its owner's promise that one call is made at a time holds for the exchange too, which is part of `encode`. If no other one opens, the
 * frame fails and the old one goes on with the next.
 */
export class ReopeningEncoder implements NativeEncoder {
  readonly #open: (bitrateBps: number) => Promise<NativeEncoder>;
  readonly #policy: ReopenPolicy;
  #native: NativeEncoder;

  constructor({ native, bitrateBps, open }: ReopeningEncoderParts) {
    this.#native = native;
    this.#open = open;
    this.#policy = new ReopenPolicy(bitrateBps);
  }

  async encode(picture: Uint8Array, job: EncodeJob): Promise<NativeChunk> {
    const { peakBps } = job.settings;
    const reopens = peakBps !== undefined && this.#policy.calls(peakBps, job.timestampUs);
    if (reopens) await this.#exchange(peakBps);
    // The rate is in the encoder itself.
    return this.#native.encode(picture, { ...job, keyFrame: job.keyFrame || reopens, settings: {} });
  }

  free(): void {
    this.#native.free();
  }

  async #exchange(bitrateBps: number): Promise<void> {
    const next = await this.#open(bitrateBps);
    this.#native.free();
    this.#native = next;
    this.#policy.opened(bitrateBps);
  }
}
