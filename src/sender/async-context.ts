import { AsyncLocalStorage } from 'node:async_hooks';
import type { AsyncContext } from '../concurrency/async-context.js';

/** {@link AsyncContext} over Node's `AsyncLocalStorage`. */
export class NodeAsyncContext<T> implements AsyncContext<T> {
  readonly #storage = new AsyncLocalStorage<T | undefined>();

  get(): T | undefined {
    return this.#storage.getStore();
  }

  run<R>(value: T | undefined, body: () => R): R {
    return this.#storage.run(value, body);
  }
}
