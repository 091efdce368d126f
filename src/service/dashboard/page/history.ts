/** One column of a diagram; `null` where there was nothing. */
export type Column = (number | null)[];

/** The newest samples of several figures at the same times, in columns as diagrams want them: time first. */
export class History {
  readonly #capacity: number;
  readonly #columns: Column[];

  /**
   * @param figures how many
   * @param capacity samples that are kept; the oldest goes
   */
  constructor(figures: number, capacity: number) {
    this.#capacity = capacity;
    this.#columns = Array.from({ length: figures + 1 }, () => []);
  }

  get columns(): readonly Column[] {
    return this.#columns;
  }

  /** The newest value of a figure. */
  latest(figure: number): number | undefined {
    return this.#columns[figure + 1]?.at(-1) ?? undefined;
  }

  /** @param timeS seconds, later than those before */
  push(timeS: number, values: readonly (number | undefined)[]): void {
    for (const [index, column] of this.#columns.entries()) {
      const value = index === 0 ? timeS : values[index - 1];
      column.push(value === undefined || !Number.isFinite(value) ? null : value);
      if (column.length > this.#capacity) column.shift();
    }
  }
}
