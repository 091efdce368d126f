/** A step forward by more than this is a break in the time stamps, not a picture shown that long. */
const MAX_STEP_US = 10_000_000;

/**
 * Turns the time stamps of decoded pictures into the times at which they are due, one after another and across loops.
 *
 * The schedule is absolute: due times add up the steps between time stamps and never look at when pictures were really
 * delivered, so that nothing drifts. Only when a picture comes late by more than a frame interval is the schedule moved, by that
 * delay: the source falls behind rather than catching up in a burst.
 *
 * Decoders return pictures in the order in which they are shown, but some containers have lost the offsets between decoding and
 * showing and stamp them out of order. A first step backwards gives such stamps away; from then on pictures are spaced evenly.
 *
 * Owner of all fields: the playback loop of one source.
 */
export class PresentationTimeline {
  readonly #intervalUs: number;
  #dueUs: number | undefined;
  #lastStampUs: number | undefined;
  #stampsTrusted = true;
  #slips = 0;

  /** @param framerate nominal frames per second, over 0 */
  constructor(framerate: number) {
    this.#intervalUs = 1_000_000 / framerate;
  }

  /** How often the schedule had to be moved. */
  get slips(): number {
    return this.#slips;
  }

  /**
   * When the next picture is due, on the time base of `nowUs`; the first is due at once.
   * @param stampUs its time stamp in microseconds, if it has one
   */
  next(stampUs: number | undefined, nowUs: number): number {
    const stepUs = this.#step(stampUs);
    this.#lastStampUs = stampUs;
    let dueUs = this.#dueUs === undefined ? nowUs : this.#dueUs + stepUs;
    if (nowUs - dueUs > this.#intervalUs) {
      dueUs = nowUs;
      this.#slips += 1;
    }
    this.#dueUs = dueUs;
    return dueUs;
  }

  /** The next picture is the first of another loop: it follows one frame interval after the last. */
  rewind(): void {
    this.#lastStampUs = undefined;
  }

  #step(stampUs: number | undefined): number {
    if (!this.#stampsTrusted || stampUs === undefined || this.#lastStampUs === undefined) return this.#intervalUs;
    const stepUs = stampUs - this.#lastStampUs;
    if (stepUs <= 0) this.#stampsTrusted = false;
    return stepUs > 0 && stepUs <= MAX_STEP_US ? stepUs : this.#intervalUs;
  }
}
