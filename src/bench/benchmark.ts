/** Figures by name, the unit in each name. */
export type Metrics = Readonly<Record<string, number>>;

/** What a benchmark may use while it runs. */
export interface BenchmarkContext {
  /** Whether to end within 45 s where the machine keeps up, with fewer samples. */
  readonly quick: boolean;
  /** Folder for pictures, if some are wanted. */
  readonly plots?: string;
  /** Somebody wants it to end: what it has started is ended, and `run` fails with CLOSED. */
  readonly signal: AbortSignal;
  /** Tells how far it is; shown on a terminal. */
  progress(text: string): void;
  /** Says something that belongs to the result, for example a lowered frame rate. */
  note(text: string): void;
}

/** Figures for people. */
export interface FigureTable {
  readonly columns: readonly { readonly title: string; readonly align: 'left' | 'right' }[];
  /** Each as long as `columns`. */
  readonly rows: readonly (readonly string[])[];
}

/** One benchmark; docs/benchmarks.md says what its figures mean. */
export interface Benchmark {
  readonly name: string;
  readonly summary: string;
  /** What people see in place of a line for each figure. */
  readonly table?: (metrics: Metrics) => FigureTable;
  /** Resolves with the figures. */
  run(context: BenchmarkContext): Promise<Metrics>;
}
