/** A discrete-event simulation's list of what happens when. Time is in microseconds and begins at 0. */
export class Events {
  readonly #heap: { readonly atUs: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;
  #nowUs = 0;

  get nowUs(): number {
    return this.#nowUs;
  }

  /** What is due at the same time runs in the order in which it was asked for. */
  at(atUs: number, run: () => void): void {
    const event = { atUs: Math.max(atUs, this.#nowUs), order: this.#order, run };
    this.#order += 1;
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  after(delayUs: number, run: () => void): void {
    this.at(this.#nowUs + delayUs, run);
  }

  runUntil(endUs: number): void {
    for (let [next] = this.#heap; next !== undefined && next.atUs <= endUs; [next] = this.#heap) {
      this.#removeFirst();
      this.#nowUs = next.atUs;
      next.run();
    }
    this.#nowUs = endUs;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const least = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(least, at)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const a = this.#heap[one];
    const b = this.#heap[other];
    if (a === undefined || b === undefined) return false;
    return a.atUs === b.atUs ? a.order < b.order : a.atUs < b.atUs;
  }

  #swap(one: number, other: number): void {
    const a = this.#heap[one];
    const b = this.#heap[other];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
