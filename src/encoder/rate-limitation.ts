/** How a target suits the size of the pictures, for whoever can choose that size. Durations are in capture time. */
export interface RateLimitation {
  /** Average over the last frames, on the codec's scale; a skipped frame counts as the coarsest. */
  readonly quantizer: number;
  /** For how long the coarsest quantizer has been in use without a break, frames being skipped where it is not enough: time for smaller pictures. */
  readonly starvedUs: number;
  /** For how long pictures have been so fine that larger ones would fit, or the scene so still. */
  readonly headroomUs: number;
}

/** A codec's quantizers. */
export interface QuantizerScale {
  /** The largest there is. */
  readonly coarsest: number;
  /** At and below it there is room for larger pictures. */
  readonly fine: number;
}

/** Weight of one frame in the average: half a second at 30 frames per second, so that one coarse key frame is no limitation. */
const SMOOTHING = 1 / 15;

/** The average stays this close to the coarsest quantizer while hardly any frame gets a finer one. */
const PINNED_WITHIN = 1;

/** Keeps a {@link RateLimitation} up to date. Owned by one rate control. */
export class RateLimitationMeter {
  readonly #scale: QuantizerScale;
  #quantizer: number | undefined;
  #starvedUs = 0;
  #headroomUs = 0;

  constructor(scale: QuantizerScale) {
    this.#scale = scale;
  }

  get value(): RateLimitation {
    const { coarsest, fine } = this.#scale;
    const quantizer = this.#quantizer ?? (coarsest + fine) / 2;
    return { quantizer, starvedUs: this.#starvedUs, headroomUs: this.#headroomUs };
  }

  /** Takes the next frame: the time since the one before, and its quantizer; `coarsest` for one that was skipped. */
  observe(elapsedUs: number, quantizer: number): void {
    const average = this.#quantizer ?? quantizer;
    this.#quantizer = average + SMOOTHING * (quantizer - average);
    const isStarved = this.#quantizer > this.#scale.coarsest - PINNED_WITHIN;
    const hasHeadroom = this.#quantizer <= this.#scale.fine;
    this.#starvedUs = isStarved ? this.#starvedUs + elapsedUs : 0;
    this.#headroomUs = hasHeadroom ? this.#headroomUs + elapsedUs : 0;
  }
}
