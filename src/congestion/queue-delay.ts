import { WindowedMinimum } from './windowed-minimum.js';

/** A standing queue is what every packet of this time has met; jitter and bursts spare some. */
const STANDING_WINDOW_US = 60_000;
const STANDING_RESOLUTION_US = 1_000;
/** And at least so many packets: at low rates the time above holds one or two, and their jitter would pass for a queue. */
const STANDING_PACKETS = 6;
/** The delay without a queue is the least of this time: long enough to have met an empty queue, short enough to follow clock drift. */
const BASE_WINDOW_US = 20_000_000;
const BASE_RESOLUTION_US = 100_000;

/**
 * How long packets wait in queues on the way, from one-way delays of which only differences mean something.
 *
 * Owner: the network controller.
 */
export class QueueDelay {
  readonly #recent = new WindowedMinimum(STANDING_WINDOW_US, STANDING_RESOLUTION_US);
  /** Of the last packets. */
  readonly #latest: number[] = [];
  readonly #base = new WindowedMinimum(BASE_WINDOW_US, BASE_RESOLUTION_US);

  /** A packet has arrived. Times of arrival are on the receiver's clock. */
  add(sentAtUs: number, receivedAtUs: number): void {
    const delayUs = receivedAtUs - sentAtUs;
    this.#recent.add(delayUs, receivedAtUs);
    this.#base.add(delayUs, receivedAtUs);
    this.#latest.push(delayUs);
    if (this.#latest.length > STANDING_PACKETS) this.#latest.shift();
  }

  /** What the packets of late have all waited, in microseconds; 0 while nothing has arrived. */
  get standingUs(): number {
    const least = this.#recent.value;
    const base = this.#base.value;
    if (least === undefined || base === undefined) return 0;
    return Math.max(Math.min(least, ...this.#latest) - base, 0);
  }

  /** The way has become longer: the delay without a queue is the least from now on. */
  rebase(): void {
    this.#base.clear();
  }

  /** The route or the receiver's clock has changed. */
  reset(): void {
    this.#recent.clear();
    this.#latest.length = 0;
    this.#base.clear();
  }
}
