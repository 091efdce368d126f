import { Semaphore } from 'async-mutex';
import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import { Guard, type LockGuard } from './lock-guard.js';
import type { LockObserver, LockRequest, LockSide, ObservedLock } from './lock-observer.js';
import { LockMeter, type LockStats } from './lock-stats.js';

/**
 * Capacity of the semaphore: a reader takes 1, a writer takes all, and a 65th reader waits for the first to leave. Kept small because
 * async-mutex walks over its free capacity at every release.
 */
const MAX_READERS = 64;
const WEIGHT = { read: 1, write: MAX_READERS } as const;

/** What a lock is made with. */
export interface RwLockOptions {
  /** For messages and metrics. */
  readonly name: string;
  readonly clock: Clock;
  /** Place in the lock order, for the observer: only locks of a higher level may be requested under this one. @default 0 */
  readonly level?: number;
  /** Told about every request; the runtime lock checker. Nothing is recorded without one. */
  readonly observer?: LockObserver | undefined;
}

/** How long to wait for a lock. Without options a request waits until the lock is free. */
export interface AcquireOptions {
  /** Gives up waiting with LOCK_ABORTED. Has no effect once the lock is acquired. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up with LOCK_TIMEOUT after this many milliseconds, at least 0; 0 takes the lock only if it is free now. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A read/write lock over async-mutex's weighted, prioritised semaphore. It is not re-entrant, and a reader cannot become a writer.
 *
 * Order of admission: first come, first served, but a writer goes ahead of the readers that began to wait since the writer before it
 * arrived. So a lone writer waits for the readers inside and no others, and a waiting reader is overtaken by one writer at most, however
 * many follow. No reader is let in past a waiting writer. The queue is as long as there are callers waiting.
 *
 * A request that is aborted or timed out leaves the queue at once, as if it had never been made.
 *
 * All fields belong to the lock itself and change only in synchronous code of this class.
 */
export class RwLock implements ObservedLock {
  readonly name: string;
  readonly level: number;
  readonly #clock: Clock;
  readonly #observer: LockObserver | undefined;
  readonly #semaphore = new Semaphore(MAX_READERS);
  readonly #meters = { read: new LockMeter(), write: new LockMeter() } as const;
  #writersSeen = 0;
  #requeueing = false;
  readonly #heldBack: (() => void)[] = [];
  /** One function for all guards. */
  readonly #leave = ({ side, acquiredUs, request }: Guard<LockSide>): void => {
    this.#meters[side].released(this.#clock.nowUs() - acquiredUs);
    request?.released();
    this.#semaphore.release(WEIGHT[side]);
  };

  constructor(options: RwLockOptions) {
    this.name = options.name;
    this.level = options.level ?? 0;
    this.#clock = options.clock;
    this.#observer = options.observer;
  }

  /**
   * Runs `body` as one of the readers and lets the lock go when it has returned, thrown or settled.
   *
   * @throws FramelockError LOCK_ABORTED, LOCK_TIMEOUT, LOCK_ORDER (by the observer), INVALID_ARGUMENT (`timeoutMs`); `body` did not run then
   */
  read<T>(body: () => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return this.#section('read', body, options);
  }

  /** Like {@link RwLock.read}, as the only holder. */
  write<T>(body: () => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return this.#section('write', body, options);
  }

  /**
   * Acquires the read side for code that cannot be one function. The observer checks the request and sees the lock held, but does not
   * know which later requests are made under it; prefer {@link RwLock.read}.
   *
   * @throws FramelockError as `read`
   */
  async acquireRead(options?: AcquireOptions): Promise<LockGuard<'read'>> {
    return this.#acquire('read', options);
  }

  /** Like {@link RwLock.acquireRead}, as the only holder. */
  async acquireWrite(options?: AcquireOptions): Promise<LockGuard<'write'>> {
    return this.#acquire('write', options);
  }

  /** A snapshot of the lock's figures. */
  stats(): LockStats {
    return { name: this.name, read: this.#meters.read.snapshot(), write: this.#meters.write.snapshot() };
  }

  async #section<T>(side: LockSide, body: () => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    const guard = await this.#acquire(side, options);
    try {
      return await guard.run(body);
    } finally {
      guard.release();
    }
  }

  /** Takes a free lock at once, without a promise: every frame pays for its locks, and they are nearly always free. */
  #acquire<Side extends LockSide>(side: Side, options: AcquireOptions = {}): Guard<Side> | Promise<Guard<Side>> {
    const { timeoutMs } = options;
    if (timeoutMs !== undefined && !(timeoutMs >= 0 && timeoutMs < Number.POSITIVE_INFINITY)) {
      throw new FramelockError('INVALID_ARGUMENT', `timeoutMs of ${this.name} must be 0 or more, got ${timeoutMs}`);
    }
    const requestedUs = this.#clock.nowUs();
    const request = this.#observer?.requested(this, side, requestedUs);
    const free = !options.signal?.aborted && this.#isFree(side);
    this.#meters[side].requested();
    if (!free) return this.#wait(side, options, requestedUs, request);
    // The queue is empty, so the semaphore counts it now. Its promise is not needed, nor its releaser.
    void this.#semaphore.acquire(WEIGHT[side]);
    return this.#enter(side, requestedUs, requestedUs, request);
  }

  /** Nobody waits, not even one who has just been let in or has just given up, and there is room. */
  #isFree(side: LockSide): boolean {
    const { read, write } = this.#meters;
    return read.waiting + write.waiting === 0 && this.#semaphore.getValue() >= WEIGHT[side];
  }

  async #wait<Side extends LockSide>(
    side: Side,
    options: AcquireOptions,
    requestedUs: number,
    request: LockRequest | undefined,
  ): Promise<Guard<Side>> {
    try {
      await this.#admission(side, options);
    } catch (error) {
      this.#meters[side].abandoned();
      request?.abandoned();
      throw error;
    }
    return this.#enter(side, requestedUs, this.#clock.nowUs(), request);
  }

  #enter<Side extends LockSide>(
    side: Side,
    requestedUs: number,
    acquiredUs: number,
    request: LockRequest | undefined,
  ): Guard<Side> {
    this.#meters[side].acquired(acquiredUs - requestedUs);
    request?.acquired(acquiredUs);
    return new Guard(this.name, side, acquiredUs, request, this.#leave);
  }

  /** Waits for admission to the semaphore. */
  #admission(side: LockSide, { signal, timeoutMs }: AcquireOptions): Promise<void> {
    const priority = this.#nextPriority(side);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(this.#abandonment('LOCK_ABORTED', side, 'was aborted', signal.reason));
        return;
      }
      let waiting = true;
      const stopWaiting = (): void => {
        waiting = false;
        timer?.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const giveUp = (error: FramelockError): void => {
        stopWaiting();
        reject(error);
        this.#requeueOthers();
      };
      const abort = (): void => giveUp(this.#abandonment('LOCK_ABORTED', side, 'was aborted', signal?.reason));
      const expire = (): void => giveUp(this.#abandonment('LOCK_TIMEOUT', side, `took longer than ${timeoutMs} ms`));
      const timer = timeoutMs === undefined ? undefined : this.#clock.setTimer(timeoutMs, expire);
      signal?.addEventListener('abort', abort, { once: true });
      const enter = (): void => {
        if (!waiting) return;
        // Entering fails only by `cancel()`, when another request has left the queue: then this one enters again, in its old place.
        this.#semaphore.acquire(WEIGHT[side], priority).then(([, leave]) => {
          if (!waiting) return leave();
          stopWaiting();
          resolve();
        }, enter);
      };
      if (this.#requeueing) this.#heldBack.push(enter);
      else enter();
    });
  }

  /**
   * The higher goes first, equals in order of arrival. Readers between two writers share a priority below the second writer's and above
   * the third's, which is the whole fairness policy.
   */
  #nextPriority(side: LockSide): number {
    if (side === 'read') return -2 * this.#writersSeen - 1;
    const priority = -2 * this.#writersSeen;
    this.#writersSeen += 1;
    return priority;
  }

  /**
   * Takes a request that gave up out of the queue. async-mutex can only cancel all of its queue, so the others enter again: `cancel()`
   * rejects in queue order, and they do so in the microtasks of their rejections, which run before the one queued here with nothing in
   * between. Requests that arrive meanwhile are held back until then, or a new reader would slip past a waiting writer.
   */
  #requeueOthers(): void {
    this.#semaphore.cancel();
    this.#requeueing = true;
    queueMicrotask(() => {
      this.#requeueing = false;
      for (const enter of this.#heldBack.splice(0)) enter();
    });
  }

  #abandonment(code: 'LOCK_ABORTED' | 'LOCK_TIMEOUT', side: LockSide, why: string, cause?: unknown): FramelockError {
    const context = { lock: this.name, side };
    return new FramelockError(code, `Waiting for ${this.name} (${side}) ${why}; it was not acquired`, {
      cause,
      context,
    });
  }
}
