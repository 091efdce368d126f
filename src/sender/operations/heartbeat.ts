import type { Clock, Timer } from '../../core/clock.js';

/**
 * The one periodic timer of a sender: calls `beat` every `intervalMs`. A late timer leads to one beat, not to a burst of missed ones.
 *
 * Owner: the sender. Starts and stops idempotently; after `stop` no beat runs.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #beat: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, intervalMs: number, beat: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#beat = beat;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(this.#intervalMs, () => {
      this.#timer = undefined;
      this.start();
      this.#beat();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
