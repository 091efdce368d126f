/** Encoders are measured over about this long. */
const WINDOW_US = 1_500_000;
/** Corrections beyond this would hide that an encoder is broken. */
const LARGEST_RATIO = 2;

/**
 * Measures how much more encoders make than they are asked for, so that they can be asked for less. Making less is no fault: the picture may be
 * still.
 *
 * Owner: the send side.
 */
export class OvershootMeter {
  #askedBits = 0;
  #madeBits = 0;
  #updatedAtUs: number | undefined;

  /** What they make of what they are asked for, 1 to 2. */
  get ratio(): number {
    if (this.#askedBits === 0) return 1;
    return Math.min(Math.max(this.#madeBits / this.#askedBits, 1), LARGEST_RATIO);
  }

  /** Encoders were asked for so much since the last call. */
  asked(bps: number, nowUs: number): void {
    const elapsedUs = nowUs - (this.#updatedAtUs ?? nowUs);
    this.#updatedAtUs = nowUs;
    const kept = Math.exp(-elapsedUs / WINDOW_US);
    this.#askedBits = this.#askedBits * kept + (bps * elapsedUs) / 1_000_000;
    this.#madeBits *= kept;
  }

  made(sizeBytes: number): void {
    this.#madeBits += sizeBytes * 8;
  }
}
