/**
 * Runs user code that is not an event (a frame's `release`) soon, but outside every lock and in order. Unbounded by design: each entry gives
 * memory back.
 *
 * Owner: the sender.
 */
export class DeferredCalls {
  readonly #schedule: (run: () => void) => void;
  readonly #onError: (error: unknown) => void;
  readonly #pending: (() => void)[] = [];

  constructor(schedule: (run: () => void) => void, onError: (error: unknown) => void) {
    this.#schedule = schedule;
    this.#onError = onError;
  }

  add(call: () => void): void {
    this.#pending.push(call);
    if (this.#pending.length === 1) this.#schedule(() => this.flush());
  }

  /** Runs what is pending now; for `close`, after which nothing may be left. */
  flush(): void {
    for (const call of this.#pending.splice(0)) {
      try {
        call();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
