import type { LockObserver, LockRequest, LockSide, ObservedLock } from './lock-observer.js';

/** Several observers of a lock as one, told in order. What one of them refuses is abandoned for those told before it. */
export class ObserverGroup implements LockObserver {
  readonly #observers: readonly LockObserver[];

  constructor(observers: readonly LockObserver[]) {
    this.#observers = observers;
  }

  requested(lock: ObservedLock, side: LockSide, nowUs: number): LockRequest {
    const requests: LockRequest[] = [];
    try {
      for (const observer of this.#observers) requests.push(observer.requested(lock, side, nowUs));
    } catch (error) {
      for (const request of requests) request.abandoned();
      throw error;
    }
    return {
      acquired: (acquiredUs) => {
        for (const request of requests) request.acquired(acquiredUs);
      },
      abandoned: () => {
        for (const request of requests) request.abandoned();
      },
      run: (body) => requests.reduce((inner, request) => () => request.run(inner), body)(),
      released: () => {
        for (const request of requests) request.released();
      },
    };
  }
}
