/** A new bitrate is worth a new native encoder if it differs from the one in force by more than this share of it. */
const BITRATE_TOLERANCE = 0.15;

/** Native encoders are not exchanged more often than this, in microseconds of capture time. */
const REOPEN_INTERVAL_US = 2_000_000;

/**
 * Decides when to exchange a native encoder that keeps its bitrate for life: each exchange costs something (a dip in sound of some
 * 10 ms, a key frame), so they are for changes that matter, and apart in time.
 *
 * Pure arithmetic. Owned by the encoder that does the exchange.
 */
export class ReopenPolicy {
  #nativeBps: number;
  #allowedFromUs = Number.NEGATIVE_INFINITY;

  /** @param nativeBps the bitrate of the first native encoder */
  constructor(nativeBps: number) {
    this.#nativeBps = nativeBps;
  }

  /**
   * Whether to open another one at `targetBps` before the frame captured at `timestampUs`; if so, that is the attempt of the next 2 s.
   * @param isOtherwiseWanted whether there is a reason beside the bitrate
   */
  calls(targetBps: number, timestampUs: number, isOtherwiseWanted = false): boolean {
    const isSameBitrate = Math.abs(targetBps / this.#nativeBps - 1) <= BITRATE_TOLERANCE;
    if (isSameBitrate && !isOtherwiseWanted) return false;
    if (timestampUs < this.#allowedFromUs) return false;
    this.#allowedFromUs = timestampUs + REOPEN_INTERVAL_US;
    return true;
  }

  /** Another one is in place. */
  opened(nativeBps: number): void {
    this.#nativeBps = nativeBps;
  }
}
