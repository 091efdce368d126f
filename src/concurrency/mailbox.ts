import { FramelockError } from '../core/errors.js';

/**
 * A queue between any number of producers and one consumer. When it is full the oldest item makes room, so that with the default capacity of
 * one the newest wins; the evicted item goes back to the producer that evicted it. Whoever gets an item from `put`, `take` or `close` owns
 * it; no item is lost or doubled.
 *
 * All fields belong to the mailbox and change only in its synchronous methods, so no lock is needed.
 */
export class Mailbox<T extends object> {
  readonly #name: string;
  readonly #capacity: number;
  readonly #items: T[] = [];
  #closed = false;
  #wake: ((there: boolean) => void) | undefined;

  /**
   * @param name for messages
   * @param capacity most items that wait, at least 1. @default 1
   */
  constructor(name = 'The mailbox', capacity = 1) {
    this.#name = name;
    this.#capacity = capacity;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Puts an item in and returns the oldest one, if that had to make room. @throws FramelockError CLOSED; the caller then still owns `item` */
  put(item: T): T | undefined {
    if (this.#closed) throw new FramelockError('CLOSED', `${this.#name} is closed and takes no more items`);
    this.#items.push(item);
    const evicted = this.#items.length > this.#capacity ? this.#items.shift() : undefined;
    this.#wake?.(true);
    return evicted;
  }

  /** Takes the oldest item out, if there is one. */
  take(): T | undefined {
    return this.#items.shift();
  }

  /**
   * Resolves with true as soon as there is an item, and with false once the mailbox is closed or `signal` is aborted. Takes nothing: the
   * item stays for `take`, which still comes back empty if the mailbox was closed meanwhile.
   *
   * @throws FramelockError INVALID_ARGUMENT if another consumer is waiting
   */
  async wait(signal?: AbortSignal): Promise<boolean> {
    if (this.#wake !== undefined) {
      throw new FramelockError(
        'INVALID_ARGUMENT',
        `${this.#name} has a waiting consumer already; it can have only one`,
      );
    }
    if (this.#closed || signal?.aborted) return false;
    if (this.#items.length > 0) return true;
    const abort = (): void => this.#wake?.(false);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<boolean>((resolve) => {
        this.#wake = (there) => {
          this.#wake = undefined;
          resolve(there);
        };
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Closes the mailbox, wakes the consumer and returns the items that were left. Idempotent: a second call returns none. */
  close(): readonly T[] {
    this.#closed = true;
    this.#wake?.(false);
    return this.#items.splice(0);
  }
}
