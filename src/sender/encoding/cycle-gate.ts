/** A hold on an encode loop. */
export interface CycleHold {
  /** Resolves at the end of the cycle in flight, or at once. */
  readonly ended: Promise<void>;
  /** Lets the loop go on, once every hold is released. */
  release(): void;
}

/**
 * The place between two cycles of an encode loop, where a swap can hold it. A swap that holds the loop before it takes the locks never waits
 * for an encode under tracksMu, where that would hold up the other tracks. It is a courtesy, not a guard: the locks are what keeps a swap
 * safe.
 *
 * Owner: the track. `enter` and `leave` belong to its loop, `hold` to anybody.
 */
export class CycleGate {
  #holds = 0;
  #inside = false;
  #wake: (() => void)[] = [];

  /** Begins a cycle; waits while the loop is held. */
  async enter(): Promise<void> {
    while (this.#holds > 0) await this.#changed();
    this.#inside = true;
  }

  /** Ends a cycle. Idempotent. */
  leave(): void {
    this.#inside = false;
    this.#notify();
  }

  /** Keeps the loop from beginning another cycle. */
  hold(): CycleHold {
    this.#holds += 1;
    return {
      ended: this.#ended(),
      release: () => {
        this.#holds -= 1;
        this.#notify();
      },
    };
  }

  async #ended(): Promise<void> {
    while (this.#inside) await this.#changed();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
