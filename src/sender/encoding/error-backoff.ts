import type { Clock, Timer } from '../../core/clock.js';

const FIRST_DELAY_MS = 10;
const LONGEST_DELAY_MS = 1000;

/**
 * Spaces the attempts of an encode loop whose encoder fails: 10 ms after the first failure, doubled with each further one, 1 s at the most.
 * Without it a persistent error would spin the loop.
 *
 * Owner: the encode loop; `end` may be called by whoever stops it.
 */
export class ErrorBackoff {
  readonly #clock: Clock;
  #delayMs = 0;
  #ended = false;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  succeeded(): void {
    this.#delayMs = 0;
  }

  /** Resolves when the next attempt may start, or at once when `end` is called. */
  failed(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#delayMs = Math.min(LONGEST_DELAY_MS, Math.max(FIRST_DELAY_MS, this.#delayMs * 2));
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#clock.setTimer(this.#delayMs, resolve);
    });
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#wake?.();
  }
}
