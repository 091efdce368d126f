import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { AsyncContext } from './async-context.js';
import { withDeadline } from './deadline.js';
import type { EventHandler } from './event-lane.js';

/** What a {@link HandlerRunner} is made with. */
export interface HandlerRunnerOptions<Type extends string> {
  readonly clock: Clock;
  /** Tells code that a handler runs from other code. Reserved for this runner. */
  readonly context: AsyncContext<object>;
  /** How long an asynchronous handler may take before it is reported and passed, in milliseconds. */
  readonly handlerDeadlineMs: number;
  /** A handler threw, rejected (even after its deadline) or took too long (FramelockError HANDLER_TIMEOUT). */
  readonly onHandlerError: (type: Type, error: unknown) => void;
}

/** Runs user handlers, one at a time, so that none can throw into the caller or hold it for longer than the deadline. */
export class HandlerRunner<Type extends string> {
  readonly #options: HandlerRunnerOptions<Type>;
  /** Identity of the call that runs; the caller runs one at a time. */
  #running: object | undefined;
  readonly #watching = new AbortController();
  #late = 0;
  #failed = 0;
  #unreported = 0;

  constructor(options: HandlerRunnerOptions<Type>) {
    this.#options = options;
  }

  /** Handlers that were passed at their deadline. */
  get late(): number {
    return this.#late;
  }

  /** Errors of handlers. */
  get failed(): number {
    return this.#failed;
  }

  /** Errors thrown by `onHandlerError` itself. */
  get unreported(): number {
    return this.#unreported;
  }

  /** Whether the code that asks was started by the handler call that runs now. */
  isInside(): boolean {
    return this.#running !== undefined && this.#options.context.get() === this.#running;
  }

  /**
   * From here on a handler that runs may take as long as it likes: for the end of a queue, when nothing waits behind it any more. Whoever
   * waits for it still needs a deadline of his own.
   */
  stopWatching(): void {
    this.#watching.abort();
  }

  /** Resolves, and never rejects, when the handler has returned, its promise has settled or its deadline has passed. */
  async run<Payload>(type: Type, handler: EventHandler<Payload>, payload: Payload): Promise<void> {
    const { clock, context, handlerDeadlineMs } = this.#options;
    const fail = (error: unknown): void => this.#fail(type, error);
    const call = Object.freeze({});
    this.#running = call;
    try {
      const result = context.run(call, () => handler(payload));
      if (!isPromiseLike(result)) return;
      const { signal } = this.#watching;
      const outcome = await withDeadline(Promise.resolve(result), handlerDeadlineMs, clock, fail, signal);
      if (outcome.ended) return;
      this.#late += 1;
      const message = `A handler of '${type}' took longer than ${handlerDeadlineMs} ms; the events behind it go on without it`;
      this.#report(type, new FramelockError('HANDLER_TIMEOUT', message, { context: { type, handlerDeadlineMs } }));
    } catch (error) {
      fail(error);
    } finally {
      this.#running = undefined;
    }
  }

  #fail(type: Type, error: unknown): void {
    this.#failed += 1;
    this.#report(type, error);
  }

  #report(type: Type, error: unknown): void {
    try {
      this.#options.onHandlerError(type, error);
    } catch {
      this.#unreported += 1;
    }
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<void> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
