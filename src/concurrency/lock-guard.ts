import { FramelockError } from '../core/errors.js';
import type { LockRequest, LockSide } from './lock-observer.js';

/** One acquisition of a lock. */
export interface LockGuard<Side extends LockSide = LockSide> {
  readonly side: Side;
  /** Lets the lock go. @throws FramelockError LOCK_DOUBLE_RELEASE if called again */
  release(): void;
}

/** The guard of an `RwLock`, with what the lock wants back at the release. Owner of its mutable field: itself. */
export class Guard<Side extends LockSide> implements LockGuard<Side> {
  readonly side: Side;
  readonly acquiredUs: number;
  readonly request: LockRequest | undefined;
  readonly #lockName: string;
  readonly #leave: (guard: Guard<LockSide>) => void;
  #released = false;

  constructor(
    lockName: string,
    side: Side,
    acquiredUs: number,
    request: LockRequest | undefined,
    leave: (guard: Guard<LockSide>) => void,
  ) {
    this.#lockName = lockName;
    this.side = side;
    this.acquiredUs = acquiredUs;
    this.request = request;
    this.#leave = leave;
  }

  /** Runs the body of a section under the lock, known to the observer. */
  run<T>(body: () => T): T {
    return this.request === undefined ? body() : this.request.run(body);
  }

  release(): void {
    if (this.#released) {
      const message = `${this.#lockName} was released twice by the same holder; release a guard once`;
      throw new FramelockError('LOCK_DOUBLE_RELEASE', message, { context: { lock: this.#lockName } });
    }
    this.#released = true;
    this.#leave(this);
  }
}
