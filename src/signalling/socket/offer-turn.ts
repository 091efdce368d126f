import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';

/** What an {@link OfferTurn} works with. */
export interface OfferTurnInit {
  /** Of the server, for people: `Janus`. */
  readonly server: string;
  readonly clock: Clock;
  readonly late: LateCompletionObserver;
  /** Longest wait for an answer, with everything that goes before it. */
  readonly timeoutMs: number;
  /** The error when that is over. */
  readonly timedOut: () => FramelockError;
}

/**
 * One offer at a time, each of which may be given up in whatever phase it is: by its caller, when its time is over, and when the session ends.
 *
 * Owner: the session. Its field changes in synchronous code only.
 */
export class OfferTurn {
  readonly #init: OfferTurnInit;
  #giveUp: ((reason: FramelockError) => void) | undefined;

  constructor(init: OfferTurnInit) {
    this.#init = init;
  }

  /** @throws FramelockError INVALID_ARGUMENT: one is under way */
  assertFree(): void {
    if (this.#giveUp === undefined) return;
    throw new FramelockError('INVALID_ARGUMENT', `${this.#init.server}: an offer is under way; wait for its answer`);
  }

  /**
   * Takes the turn. @param work goes through `waiting` after each of its waits: nothing is to follow once it has ended
   * @throws FramelockError CLOSED (aborted by the caller), what it was given up with, and whatever `work` rejects with
   */
  async run<T>(signal: AbortSignal | undefined, work: (waiting: Lifetime) => Promise<T>): Promise<T> {
    this.assertFree();
    const { server, clock, late, timeoutMs, timedOut } = this.#init;
    const waiting = new Lifetime(`The wait for an answer of ${server}`, late);
    const givenUp = new Promise<never>((_, reject) => {
      this.#giveUp = (reason) => {
        waiting.end();
        reject(reason);
      };
    });
    const timer = waiting.clock(clock).setTimer(timeoutMs, () => this.giveUp(timedOut()));
    const aborted = (): void =>
      this.giveUp(new FramelockError('CLOSED', `${server}: the offer was aborted by its caller`));
    signal?.addEventListener('abort', aborted, { once: true });
    try {
      return await Promise.race([work(waiting), givenUp]);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', aborted);
      waiting.end();
      this.#giveUp = undefined;
    }
  }

  /** Ends the wait of the offer that is under way, if there is one. */
  giveUp(reason: FramelockError): void {
    this.#giveUp?.(reason);
  }
}
