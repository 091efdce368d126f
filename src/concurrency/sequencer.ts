/**
 * Runs asynchronous jobs one after the other, in the order they were given. Unlike a lock it guards no data: it keeps two negotiations
 * of one sender from interleaving their offers and answers.
 */
export class Sequencer {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `job` when all earlier ones have settled; a failed job does not stop later ones. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(job);
    // The caller handles the failure; the chain only needs to know that the job is over.
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Resolves when every job given so far has settled. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
