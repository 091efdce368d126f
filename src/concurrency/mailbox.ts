import { FramelockError } from '../core/errors.js';

/**
 * One slot between any number of producers and one consumer; its capacity is one item, and when it is full the newest wins: the evicted
 * item goes back to the producer that evicted it. Whoever gets an item from `put`, `take` or `close` owns it; no item is lost or doubled.
 *
 * All fields belong to the mailbox and change only in its synchronous methods, so no lock is needed.
 */
export class Mailbox<T extends object> {
  readonly #name: string;
  #item: T | undefined;
  #closed = false;
  #wake: ((there: boolean) => void) | undefined;

  /** @param name for messages */
  constructor(name = 'The mailbox') {
    this.#name = name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Puts an item in and returns the one that it evicts. @throws FramelockError CLOSED; the caller then still owns `item` */
  put(item: T): T | undefined {
    if (this.#closed) throw new FramelockError('CLOSED', `${this.#name} is closed and takes no more items`);
    const evicted = this.#item;
    this.#item = item;
    this.#wake?.(true);
    return evicted;
  }

  /** Takes the item out, if there is one. */
  take(): T | undefined {
    const item = this.#item;
    this.#item = undefined;
    return item;
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
    if (this.#item !== undefined) return true;
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

  /** Closes the mailbox, wakes the consumer and returns the item that was left. Idempotent: a second call returns nothing. */
  close(): T | undefined {
    this.#closed = true;
    this.#wake?.(false);
    return this.take();
  }
}
