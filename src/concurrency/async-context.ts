/**
 * A value that follows one flow of asynchronous code through its awaits, timers and callbacks. The sender backs it with Node's
 * `AsyncLocalStorage`; this folder imports no Node built-ins.
 */
export interface AsyncContext<T> {
  /** The value of the innermost {@link AsyncContext.run} around this code, or nothing. */
  get(): T | undefined;
  /** Runs `body`, and everything it starts, with the given value; `undefined` lets it run with none. */
  run<R>(value: T | undefined, body: () => R): R;
}
