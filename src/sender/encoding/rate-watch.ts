/** An encoder is off its target if it makes this many times what it should. */
const OVERSHOOT = 1.5;
/** And does so for this long; a key frame or a change of scene may take a second. */
const OFF_TARGET_AFTER_US = 3_000_000;

/**
 * Watches whether an encoder follows its target: one that keeps making more than it should floods the link in silence. One that makes less is
 * no fault: the picture may be still.
 *
 * Owner: the track. Time comes in as an argument.
 */
export class RateWatch {
  #offSinceUs: number | undefined;

  /** Whether it has made far more than `targetBps` for three seconds; asking starts the watch anew where it has. */
  isOffTarget(encodedBps: number, targetBps: number, nowUs: number): boolean {
    if (encodedBps <= OVERSHOOT * targetBps) {
      this.reset();
      return false;
    }
    this.#offSinceUs ??= nowUs;
    if (nowUs - this.#offSinceUs < OFF_TARGET_AFTER_US) return false;
    this.reset();
    return true;
  }

  /** The target or the encoder has changed. */
  reset(): void {
    this.#offSinceUs = undefined;
  }
}
