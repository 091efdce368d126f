import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { LateCompletionObserver } from './late-completions.js';

/**
 * The life of an object, shared with everything that may call back into it after it has ended: encoder threads, sockets, timers, HTTP
 * answers, sources. Once ended, a completion that goes through here is a counted no-op, never a crash or a revival. Code that runs when the
 * life ends, even the code that ends it, runs on to its end.
 *
 * Owner of its mutable fields: the lifetime itself; they change only in synchronous code.
 */
export class Lifetime {
  readonly #name: string;
  readonly #observer: LateCompletionObserver;
  readonly #controller = new AbortController();

  /**
   * @param name of the object, for the reason of {@link Lifetime.signal}
   * @param observer told of each completion that came too late; usually a `LateCompletions`, which outlives the object
   */
  constructor(name: string, observer: LateCompletionObserver) {
    this.#name = name;
    this.#observer = observer;
  }

  get ended(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Aborted when the life ends, with a FramelockError CLOSED as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Wraps a callback: what it throws while alive is thrown to the caller, and after the end it is not called but counted as `kind`. */
  guard<A extends unknown[]>(kind: string, fn: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      if (this.enter(kind)) fn(...args);
    };
  }

  /** Whether a completion may proceed; if not, it is counted as `kind`. */
  enter(kind: string): boolean {
    if (!this.ended) return true;
    this.#observer.lateCompletion(kind);
    return false;
  }

  /** A clock whose timers do nothing after the end but being counted as `timer`, should one not have been cancelled in time. */
  clock(clock: Clock): Clock {
    return {
      nowUs: () => clock.nowUs(),
      wallUs: () => clock.wallUs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, this.guard('timer', callback)),
    };
  }

  /** Ends the life. Idempotent. After it returns no guarded completion starts. */
  end(): void {
    if (!this.ended) this.#controller.abort(new FramelockError('CLOSED', `${this.#name} has ended`));
  }
}
