import { backoffPause } from '../../concurrency/backoff.js';
import type { Clock } from '../../core/clock.js';
import type { Random } from '../../core/random.js';

/** Before the first attempt at the longest; twice as much before each further one. */
const FIRST_PAUSE_MS = 100;
/** In the first seconds, in which networks change and processes are started again, and later on. */
const LONGEST_PAUSE_MS = { soon: 500, later: 5000 };
const SOON_US = 10_000_000;
/**
 * For opening and resuming, which take some five round trips with TLS; twice as long after each attempt that took too long. Who waits for long on a good network waits
 * for nothing: a packet that was lost is repeated after a second, and LiveKit 1.13.5 sometimes takes seconds to let somebody back in, and no time for the next attempt.
 */
export const FIRST_ATTEMPT_MS = 1000;
const LONGEST_ATTEMPT_MS = 8000;

/**
 * How long each attempt to come back may take, and how long the pauses between them are.
 *
 * Owner: the socket that comes back.
 */
export class ReturnPace {
  readonly #clock: Clock;
  readonly #random: Random;
  #beganUs = 0;
  #failed = 0;
  #patienceMs = FIRST_ATTEMPT_MS;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.begin();
  }

  /** For the next attempt. */
  get patienceMs(): number {
    return this.#patienceMs;
  }

  /** Nothing is known yet, or no longer. */
  begin(): void {
    this.#beganUs = this.#clock.nowUs();
    this.#failed = 0;
    this.#patienceMs = FIRST_ATTEMPT_MS;
  }

  /** An attempt has failed. @param tookTooLong the time for it was over */
  failed(tookTooLong: boolean): void {
    this.#failed += 1;
    if (tookTooLong) this.#patienceMs = Math.min(2 * this.#patienceMs, LONGEST_ATTEMPT_MS);
  }

  /** The pause before the next attempt; the signal cuts it short. */
  pause(signal: AbortSignal): Promise<void> {
    const isSoon = this.#clock.nowUs() - this.#beganUs < SOON_US;
    return backoffPause(this.#failed, {
      firstMs: FIRST_PAUSE_MS,
      longestMs: isSoon ? LONGEST_PAUSE_MS.soon : LONGEST_PAUSE_MS.later,
      clock: this.#clock,
      random: this.#random,
      signal,
    });
  }
}
