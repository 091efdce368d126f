import { FramelockError } from '../core/errors.js';

/**
 * The life of an object, shared with everything that may call back into it after it has ended: encoder threads, sockets, timers, HTTP
 * answers. Once ended, a completion that goes through here is a counted no-op, never a crash or a revival. Code that runs when the life
 * ends, even the code that ends it, runs on to its end.
 *
 * Owner of its mutable fields: the lifetime itself; they change only in synchronous code.
 */
export class Lifetime {
  readonly #name: string;
  readonly #controller = new AbortController();
  readonly #late = new Map<string, number>();

  /** @param name of the object, for the reason of {@link Lifetime.signal} */
  constructor(name = 'The object') {
    this.#name = name;
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
      this.run(kind, () => fn(...args));
    };
  }

  /** Runs a completion and returns its result; after the end it does not run, is counted as `kind`, and the result is nothing. */
  run<T>(kind: string, fn: () => T): T | undefined {
    return this.enter(kind) ? fn() : undefined;
  }

  /** Whether a completion may proceed, for code that goes on after an `await`; if not, it is counted as `kind`. */
  enter(kind: string): boolean {
    if (!this.ended) return true;
    this.#late.set(kind, (this.#late.get(kind) ?? 0) + 1);
    return false;
  }

  /** Ends the life. Idempotent. After it returns no guarded completion starts. */
  end(): void {
    if (!this.ended) this.#controller.abort(new FramelockError('CLOSED', `${this.#name} has ended`));
  }

  /** How many completions of each kind came too late; kinds with none are absent. A fresh object. */
  lateCompletions(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#late);
  }
}
