import type { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock, Timer } from '../../core/clock.js';

/**
 * Shows again and again that a session is still wanted, until the session ends.
 *
 * Owner: the session.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #show: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, session: Lifetime, show: () => void) {
    this.#clock = session.clock(clock);
    this.#show = show;
  }

  start(intervalMs: number): void {
    this.#timer = this.#clock.setTimer(intervalMs, () => {
      this.#show();
      this.start(intervalMs);
    });
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
  }
}
