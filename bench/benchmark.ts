/** What a benchmark may use while it runs. */
export interface BenchmarkContext {
  /** Whether to end within 45 s, with fewer samples. */
  readonly quick: boolean;
  /** Folder for pictures, if some are wanted. */
  readonly plots?: string;
  /** Tells how far it is; shown on a terminal. */
  progress(text: string): void;
  /** Says something that belongs to the result, for example a lowered frame rate. */
  note(text: string): void;
}

/** One benchmark; docs/benchmarks.md says what its figures mean. */
export interface Benchmark {
  readonly name: string;
  readonly summary: string;
  /** Resolves with the figures, the unit in each name. */
  run(context: BenchmarkContext): Promise<Readonly<Record<string, number>>>;
}
