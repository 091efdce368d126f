/**
 * Asynchronous work that its caller may not wait for, but a shutdown must: it holds encoders that nothing else knows of.
 *
 * Owner: the sender. As many entries as there are calls in progress.
 */
export class InFlight {
  readonly #work = new Set<Promise<unknown>>();

  /** Counts `work` as in flight until it has settled, and hands its outcome on. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  /** Resolves when nothing is in flight, and never rejects. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
