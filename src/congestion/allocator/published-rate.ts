/** Rises smaller than this, in relation to what is published and in bits per second, are not worth telling an encoder. */
const LEAST_RISE = 0.03;
const LEAST_RISE_BPS = 20_000;
/** Rises follow one another at this distance at least. */
const BETWEEN_RISES_US = 300_000;

/**
 * What the encoder of one track is told: every decrease at once, since it keeps the link from filling up, and of the increases only those that
 * are worth it; a rise from nothing always is. So the published rate is never above the allocated one.
 *
 * Owner: the Allocator.
 */
export class PublishedRate {
  #bps = 0;
  #roseUs = Number.NEGATIVE_INFINITY;
  #dueUs = Number.POSITIVE_INFINITY;

  /** Another one in the same state. */
  copy(): PublishedRate {
    const copy = new PublishedRate();
    copy.#bps = this.#bps;
    copy.#roseUs = this.#roseUs;
    copy.#dueUs = this.#dueUs;
    return copy;
  }

  get bps(): number {
    return this.#bps;
  }

  /** When a rise that is held back becomes due if the allocation stays as it was. */
  get dueUs(): number {
    return this.#dueUs;
  }

  /**
   * @param allocatedBps whole bits per second
   * @param atOnce publishes any rise: something was asked for, and no estimate wobbled
   */
  update(nowUs: number, allocatedBps: number, atOnce: boolean): void {
    const riseBps = allocatedBps - this.#bps;
    const worthIt = riseBps >= Math.max(LEAST_RISE * this.#bps, LEAST_RISE_BPS);
    this.#dueUs = worthIt ? this.#roseUs + BETWEEN_RISES_US : Number.POSITIVE_INFINITY;
    const mayWait = riseBps > 0 && this.#bps > 0 && !atOnce;
    if (mayWait && nowUs < this.#dueUs) return;
    if (riseBps > 0) this.#roseUs = nowUs;
    this.#bps = allocatedBps;
    this.#dueUs = Number.POSITIVE_INFINITY;
  }
}
