/** Upper bounds of the classes in which waits are counted, in microseconds: from one that nobody notices to one that is a fault. */
export const WAIT_BOUNDS_US: readonly number[] = Object.freeze([100, 1000, 5000, 10_000, 25_000, 100_000, 1_000_000]);

/** Figures of one side of a lock since its creation. Times in microseconds. */
export interface LockSideStats {
  /** Requests that got the lock. */
  readonly acquisitions: number;
  /** Requests that were aborted or timed out. */
  readonly abandoned: number;
  /** Requests that wait now. */
  readonly waiting: number;
  /** Holders now. */
  readonly holding: number;
  /** Waiting time of all acquisitions together. */
  readonly waitTotalUs: number;
  readonly waitMaxUs: number;
  /** How many waits fell into each class: up to the first of {@link WAIT_BOUNDS_US}, up to the second, and so on; longer ones last. */
  readonly waitCounts: readonly number[];
  /** Holding time of all released acquisitions together. */
  readonly holdTotalUs: number;
  readonly holdMaxUs: number;
}

/** A snapshot of a lock's figures. */
export interface LockStats {
  readonly name: string;
  readonly read: LockSideStats;
  readonly write: LockSideStats;
}

/** Counts one side of a lock. Owned and written by its `RwLock` alone. */
export class LockMeter {
  #acquisitions = 0;
  #abandoned = 0;
  #waiting = 0;
  #holding = 0;
  #waitTotalUs = 0;
  #waitMaxUs = 0;
  readonly #waitCounts = [...WAIT_BOUNDS_US, Number.POSITIVE_INFINITY].map(() => 0);
  #holdTotalUs = 0;
  #holdMaxUs = 0;

  get waiting(): number {
    return this.#waiting;
  }

  requested(): void {
    this.#waiting += 1;
  }

  abandoned(): void {
    this.#waiting -= 1;
    this.#abandoned += 1;
  }

  acquired(waitUs: number): void {
    this.#waiting -= 1;
    this.#holding += 1;
    this.#acquisitions += 1;
    this.#waitTotalUs += waitUs;
    this.#waitMaxUs = Math.max(this.#waitMaxUs, waitUs);
    const found = WAIT_BOUNDS_US.findIndex((boundUs) => waitUs <= boundUs);
    const index = found === -1 ? WAIT_BOUNDS_US.length : found;
    this.#waitCounts[index] = (this.#waitCounts[index] ?? 0) + 1;
  }

  released(holdUs: number): void {
    this.#holding -= 1;
    this.#holdTotalUs += holdUs;
    this.#holdMaxUs = Math.max(this.#holdMaxUs, holdUs);
  }

  snapshot(): LockSideStats {
    return {
      acquisitions: this.#acquisitions,
      abandoned: this.#abandoned,
      waiting: this.#waiting,
      holding: this.#holding,
      waitTotalUs: this.#waitTotalUs,
      waitMaxUs: this.#waitMaxUs,
      waitCounts: [...this.#waitCounts],
      holdTotalUs: this.#holdTotalUs,
      holdMaxUs: this.#holdMaxUs,
    };
  }
}
