/** Weight of one interval in the average: it follows a change of frame rate within about ten frames. */
const SMOOTHING = 1 / 8;

/** Longer gaps are pauses, not a frame rate. */
const PAUSE_US = 1_000_000;

/** No camera is faster: timestamps closer than this are jitter, 1/240 s. */
const SHORTEST_US = 1_000_000 / 240;

/**
 * The interval between the frames of a track, by their capture times. Encoders are told a frame rate when they open, cameras deliver
 * another: exposure in the dark, frames dropped by a slow encoder. Rate control that trusts the first misses its target by their ratio.
 */
export class FrameIntervalMeter {
  #smoothedUs: number;
  #lastUs: number | undefined;

  /** @param framerate What to assume until frames tell better, in frames per second. */
  constructor(framerate: number) {
    this.#smoothedUs = 1_000_000 / framerate;
  }

  /** The average interval in microseconds, within [1/240 s, 1 s]. */
  get smoothedUs(): number {
    return this.#smoothedUs;
  }

  /**
   * Takes the capture time of the next frame. Returns the time since the frame before: the average for a first frame or one that
   * is out of order, 1 s after a pause.
   */
  observe(timestampUs: number): number {
    const elapsedUs = this.#lastUs === undefined ? 0 : timestampUs - this.#lastUs;
    this.#lastUs = timestampUs;
    if (elapsedUs <= 0) return this.#smoothedUs;
    if (elapsedUs > PAUSE_US) return PAUSE_US;
    this.#smoothedUs += SMOOTHING * (Math.max(elapsedUs, SHORTEST_US) - this.#smoothedUs);
    return elapsedUs;
  }
}
