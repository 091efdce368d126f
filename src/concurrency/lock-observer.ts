/** Which side of a lock: any number of readers, or one writer. */
export type LockSide = 'read' | 'write';

/** What an observer knows a lock by. Two locks are the same if they are the same object. */
export interface ObservedLock {
  /** For messages, for example `encoderMu(front)`. */
  readonly name: string;
  /** Place in the lock order: under a lock, only locks of a higher level may be requested. */
  readonly level: number;
}

/** Told about every request of a lock. In production a lock has none; see `LockChecker`. */
export interface LockObserver {
  /** Called synchronously by whoever requests the lock, before it waits. Refuses the request by throwing. */
  requested(lock: ObservedLock, side: LockSide, nowUs: number): LockRequest;
}

/** One request on its way: either acquired and later released, or abandoned. */
export interface LockRequest {
  /** The lock is held from now on. */
  acquired(nowUs: number): void;
  /** The request was aborted or timed out. */
  abandoned(): void;
  /** Runs the body of a section, so that what it requests is known to be requested under this lock. */
  run<T>(body: () => T): T;
  released(): void;
}
