/** A key frame takes some five to eight frames' worth of its stream: until it has gone, others of no higher priority wait. */
const GAP_US = 200_000;
/** Who has not asked for so long does not wait any more. */
const ASKED_WITHIN_US = 200_000;

interface Waiting {
  readonly priority: number;
  readonly askedAtUs: number;
}

/**
 * Lets cameras make key frames one after another, the most important first: after a fall of the rate all of them need one, and together they would be
 * the next queue.
 *
 * Bounded by the number of tracks: each waits once. Owner: its driver, synchronously.
 */
export class KeyFrameTurns {
  readonly #waiting = new Map<string, Waiting>();
  #freeAtUs = Number.NEGATIVE_INFINITY;
  #lastPriority = 0;

  /**
   * Whether a track may make the key frame that it needs now; to be asked before each of its frames until it may.
   * @param priority lower goes first, as in the pacer; one that is lower than that of the key frame before waits for nobody
   */
  take(trackId: string, priority: number, nowUs: number): boolean {
    this.#waiting.set(trackId, { priority, askedAtUs: nowUs });
    const isFree = nowUs >= this.#freeAtUs || priority < this.#lastPriority;
    if (!isFree || this.#isBehindAnother(priority, nowUs)) return false;
    this.#waiting.delete(trackId);
    this.#freeAtUs = nowUs + GAP_US;
    this.#lastPriority = priority;
    return true;
  }

  #isBehindAnother(priority: number, nowUs: number): boolean {
    for (const [trackId, waiting] of this.#waiting) {
      if (nowUs - waiting.askedAtUs > ASKED_WITHIN_US) this.#waiting.delete(trackId);
      else if (waiting.priority < priority) return true;
    }
    return false;
  }
}
