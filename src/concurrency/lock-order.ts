import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { LockObserver } from './lock-observer.js';
import type { LockStats } from './lock-stats.js';
import { type AcquireOptions, RwLock } from './rw-lock.js';

const TRACKS_LEVEL = 0;
const ENCODER_LEVEL = 1;

/**
 * Proof that its holder runs inside the exclusive section of a {@link TracksLock}. Only the lock makes one, for one section; it is worth
 * nothing once that section has ended. The private member makes the type nominal: no other object can stand in for it.
 */
class TracksExclusive {
  readonly #lockName: string;

  constructor(lockName: string) {
    this.#lockName = lockName;
  }

  toString(): string {
    return `exclusive section of ${this.#lockName}`;
  }
}

export type { TracksExclusive };

/** A result that is there at once: a promise is none. */
type Immediate<T> = T extends PromiseLike<unknown> ? never : T;

/** What a {@link TracksLock} is made with. */
export interface TracksLockOptions {
  /** For messages and metrics. @default 'tracksMu' */
  readonly name?: string;
  readonly clock: Clock;
  /** The runtime lock checker; on in tests and development, off in production. */
  readonly checker?: LockObserver | undefined;
}

/**
 * tracksMu: one per sender, first in the lock order. Guards the track map, the allocation and the registered callbacks.
 *
 * Owner of its mutable fields: the exclusive section that runs.
 */
export class TracksLock {
  readonly #lock: RwLock;
  #token: TracksExclusive | undefined;
  readonly #nested = new Set<Promise<unknown>>();

  constructor({ name = 'tracksMu', clock, checker }: TracksLockOptions) {
    this.#lock = new RwLock({ name, clock, level: TRACKS_LEVEL, observer: checker });
  }

  get name(): string {
    return this.#lock.name;
  }

  /**
   * Runs `body`, a brief snapshot, beside other readers. It is synchronous, so that it cannot wait for another lock inside.
   *
   * @throws FramelockError as `RwLock.read`
   */
  shared<T>(body: () => Immediate<T>, options?: AcquireOptions): Promise<T> {
    return this.#lock.read(body, options);
  }

  /**
   * Runs `body` alone, with the token that taking an {@link EncoderLock} exclusively requires. The section lasts until `body` and every
   * encoder section that was opened with the token have ended, even if `body` did not wait for them.
   *
   * @throws FramelockError as `RwLock.write`
   */
  exclusive<T>(body: (token: TracksExclusive) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return this.#lock.write(async () => {
      const token = new TracksExclusive(this.name);
      this.#token = token;
      try {
        return await body(token);
      } finally {
        // For example a `Promise.all` over encoders that has failed for one while another is still being swapped.
        while (this.#nested.size > 0) await Promise.allSettled(this.#nested);
        this.#token = undefined;
      }
    }, options);
  }

  /** A snapshot of the lock's figures. */
  stats(): LockStats {
    return this.#lock.stats();
  }

  /** @internal Opens a section of `lockName` under the exclusive section that `token` stands for. */
  async nest<T>(token: TracksExclusive, lockName: string, section: () => Promise<T>): Promise<T> {
    if (token !== this.#token) {
      const message = `${lockName} needs the token of the exclusive section of ${this.name} that runs now, got ${describe(token)}`;
      throw new FramelockError('LOCK_ORDER', message, { context: { lock: lockName, under: this.name } });
    }
    const running = section();
    this.#nested.add(running);
    try {
      return await running;
    } finally {
      this.#nested.delete(running);
    }
  }
}

/** What an {@link EncoderLock} is made with. */
export interface EncoderLockOptions {
  /** For messages and metrics, for example `encoderMu(front)`. */
  readonly name: string;
  /** The lock of the sender whose track this is. */
  readonly tracks: TracksLock;
  readonly clock: Clock;
  /** The runtime lock checker; on in tests and development, off in production. */
  readonly checker?: LockObserver | undefined;
}

/** encoderMu: one per track, second in the lock order. Guards the encoder's life: open reader, swap, close. */
export class EncoderLock {
  readonly #lock: RwLock;
  readonly #tracks: TracksLock;

  constructor({ name, tracks, clock, checker }: EncoderLockOptions) {
    this.#lock = new RwLock({ name, clock, level: ENCODER_LEVEL, observer: checker });
    this.#tracks = tracks;
  }

  get name(): string {
    return this.#lock.name;
  }

  /**
   * Runs `body`, one encode cycle from `reader.read()` through `release()`. Not inside any section of tracksMu.
   *
   * @throws FramelockError as `RwLock.read`
   */
  shared<T>(body: () => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return this.#lock.read(body, options);
  }

  /**
   * Runs `body`, a swap or the teardown, alone.
   *
   * @throws FramelockError as `RwLock.write`; LOCK_ORDER if the token's section has ended or belongs to another sender's lock
   */
  exclusive<T>(token: TracksExclusive, body: () => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return this.#tracks.nest(token, this.name, () => this.#lock.write(body, options));
  }

  /** A snapshot of the lock's figures. */
  stats(): LockStats {
    return this.#lock.stats();
  }
}

function describe(token: unknown): string {
  return token instanceof TracksExclusive ? `that of another or ended ${token}` : 'something else';
}
