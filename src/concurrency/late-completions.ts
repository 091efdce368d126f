/** Hears of completions that come after the end of what they belong to. */
export interface LateCompletionObserver {
  /** @param kind of completion, for people: `rtcp`, `frame` */
  lateCompletion(kind: string): void;
}

/** Counts late completions by kind, for all the lives of one owner. Owner: the object that made it; it changes only in synchronous code. */
export class LateCompletions implements LateCompletionObserver {
  readonly #counts = new Map<string, number>();

  lateCompletion(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** How many came of each kind; kinds with none are absent. A fresh object. */
  byKind(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
