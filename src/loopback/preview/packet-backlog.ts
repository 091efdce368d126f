import type { Clock, Timer } from '../../core/clock.js';

/** Most packets that wait: two seconds of 8 Mbit/s. One more is left out, and repaired like any loss. */
export const BACKLOG_PACKETS = 2048;
/** Most packets that are forwarded without a pause: a millisecond or so of encryption. */
export const BATCH_PACKETS = 32;

/**
 * Takes what is to be forwarded off the path of those who send it: they only put it here, and it is forwarded later, a few at a time, so that neither a
 * burst nor a fault of the forwarding can hold them up.
 *
 * Owner: the preview room. All calls are synchronous.
 */
export class PacketBacklog<Item> {
  readonly #clock: Clock;
  readonly #forward: (item: Item) => void;
  #waiting: Item[] = [];
  #timer: Timer | undefined;
  #leftOut = 0;

  /** @param forward must not throw */
  constructor(clock: Clock, forward: (item: Item) => void) {
    this.#clock = clock;
    this.#forward = forward;
  }

  /** Packets that found no room. */
  get leftOut(): number {
    return this.#leftOut;
  }

  put(item: Item): void {
    if (this.#waiting.length >= BACKLOG_PACKETS) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting.push(item);
    this.#timer ??= this.#clock.setTimer(0, () => this.#drain());
  }

  /** Gives up what waits. */
  clear(): void {
    this.#waiting = [];
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #drain(): void {
    const batch = this.#waiting.splice(0, BATCH_PACKETS);
    this.#timer = this.#waiting.length === 0 ? undefined : this.#clock.setTimer(0, () => this.#drain());
    for (const item of batch) this.#forward(item);
  }
}
