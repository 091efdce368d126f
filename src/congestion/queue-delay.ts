/** A standing queue is what every packet of this time has met; jitter and bursts spare some. */
const STANDING_WINDOW_US = 60_000;
/** The delay without a queue is the least of this time: long enough to have met an empty queue, short enough to follow clock drift. */
const BASE_WINDOW_US = 20_000_000;
const BASE_BUCKET_US = 1_000_000;

interface Delay {
  readonly atUs: number;
  readonly delayUs: number;
}

/**
 * How long packets wait in queues on the way, from one-way delays of which only differences mean something.
 *
 * Owner: the network controller.
 */
export class QueueDelay {
  /** By arrival; of the standing window. */
  #recent: Delay[] = [];
  /** The least delay of each second of the base window. */
  #buckets: Delay[] = [];

  /** A packet has arrived. Times of arrival are on the receiver's clock. */
  add(sentAtUs: number, receivedAtUs: number): void {
    const delay = { atUs: receivedAtUs, delayUs: receivedAtUs - sentAtUs };
    const newest = this.#recent.at(-1)?.atUs ?? receivedAtUs;
    if (receivedAtUs < newest - STANDING_WINDOW_US) return;
    this.#recent.push(delay);
    this.#recent = this.#recent.filter(({ atUs }) => atUs > Math.max(newest, receivedAtUs) - STANDING_WINDOW_US);
    this.#fold(delay);
  }

  /** What the packets of late have all waited, in microseconds; 0 while nothing has arrived. */
  get standingUs(): number {
    const least = leastOf(this.#recent);
    const base = leastOf(this.#buckets);
    return least === undefined || base === undefined ? 0 : Math.max(least - base, 0);
  }

  /** The route or the receiver's clock has changed. */
  reset(): void {
    this.#recent = [];
    this.#buckets = [];
  }

  #fold(delay: Delay): void {
    const newest = this.#buckets.at(-1);
    if (newest === undefined || delay.atUs - newest.atUs >= BASE_BUCKET_US) {
      this.#buckets.push(delay);
      this.#buckets = this.#buckets.filter(({ atUs }) => delay.atUs - atUs <= BASE_WINDOW_US);
    } else if (delay.delayUs < newest.delayUs) {
      this.#buckets[this.#buckets.length - 1] = { atUs: newest.atUs, delayUs: delay.delayUs };
    }
  }
}

function leastOf(delays: readonly Delay[]): number | undefined {
  let least: number | undefined;
  for (const { delayUs } of delays) if (least === undefined || delayUs < least) least = delayUs;
  return least;
}
