import { AsyncLocalStorage } from 'node:async_hooks';
import type { AsyncContext } from '../concurrency/async-context.js';

/**
 * The values of all contexts along a flow, by context. One storage for the whole process, which holds nothing of its own: before Node 24 every
 * storage that was ever used makes each asynchronous operation of the process a little dearer, for good.
 */
const flow = new AsyncLocalStorage<ReadonlyMap<object, unknown>>();

/** {@link AsyncContext} over Node's `AsyncLocalStorage`. */
export class NodeAsyncContext<T> implements AsyncContext<T> {
  get(): T | undefined {
    return flow.getStore()?.get(this) as T | undefined;
  }

  run<R>(value: T | undefined, body: () => R): R {
    const values = new Map(flow.getStore());
    if (value === undefined) values.delete(this);
    else values.set(this, value);
    return flow.run(values, body);
  }
}
