import type { Clock, Timer } from '../../core/clock.js';

/** Shortest time between two key frame requests for one track. */
export const KEY_FRAME_INTERVAL_MS = 300;

/**
 * Coalesces key frame requests: the first passes at once, all that come within the interval make one more at its end, since the key
 * frame that is on its way may be too early for them.
 */
export class KeyFrameGate {
  readonly #clock: Clock;
  readonly #send: () => void;
  #interval: Timer | undefined;
  #again = false;
  #closed = false;

  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  request(): void {
    if (this.#closed) return;
    if (this.#interval !== undefined) {
      this.#again = true;
      return;
    }
    this.#interval = this.#clock.setTimer(KEY_FRAME_INTERVAL_MS, () => this.#elapsed());
    this.#send();
  }

  /** Idempotent; nothing is sent afterwards. */
  close(): void {
    this.#closed = true;
    this.#interval?.cancel();
  }

  #elapsed(): void {
    this.#interval = undefined;
    if (!this.#again) return;
    this.#again = false;
    this.request();
  }
}
