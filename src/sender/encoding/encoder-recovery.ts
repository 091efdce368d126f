/** Failures in a row after which a fresh encoder is asked for. A single one may be the fault of its frame. */
const FAILURES_UNTIL_REPLACED = 3;
/** Fresh encoders that may fail as well before the track is given up. */
const MAX_REPLACEMENTS = 3;
/** An encoder that has worked for this long had no part in the trouble before it. */
const RECOVERED_AFTER_US = 10_000_000;

/** What to do after a failure. */
export type RecoveryStep = 'retry' | 'replace' | 'give up';

/**
 * Decides how a track gets over failures of its encoder: try again, then with a fresh encoder, and after three of those not any more, since a
 * cause that outlives three encoders is not in the encoder. With the pauses in between (see `ErrorBackoff`) that takes some 5 s.
 *
 * Owner: the track. Time comes in as an argument.
 */
export class EncoderRecovery {
  #failuresInARow = 0;
  #replacements = 0;
  #workingSinceUs: number | undefined;

  succeeded(nowUs: number): void {
    this.#failuresInARow = 0;
    this.#workingSinceUs ??= nowUs;
    if (nowUs - this.#workingSinceUs >= RECOVERED_AFTER_US) this.#replacements = 0;
  }

  /** An encode has failed. */
  failed(): RecoveryStep {
    this.#workingSinceUs = undefined;
    this.#failuresInARow += 1;
    return this.#failuresInARow < FAILURES_UNTIL_REPLACED ? 'retry' : this.broken();
  }

  /** The encoder works, but not as it should: no further attempt is worth while. */
  broken(): Exclude<RecoveryStep, 'retry'> {
    this.#workingSinceUs = undefined;
    this.#failuresInARow = 0;
    if (this.#replacements >= MAX_REPLACEMENTS) return 'give up';
    this.#replacements += 1;
    return 'replace';
  }

  /** Somebody else has seen to it: the past does not count. */
  reset(): void {
    this.#failuresInARow = 0;
    this.#replacements = 0;
    this.#workingSinceUs = undefined;
  }
}
