import { access, constants, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import type { Benchmark, FigureTable, Metrics } from '../bench/benchmark.js';
import { describeError } from '../core/errors.js';
import type { Palette } from './status-table.js';
import type { Output } from './terminal.js';
import { tableLines } from './text-table.js';
import { usageError } from './usage-error.js';

/** Of the load average of the last minute, by core, from which on other programs take what is measured. */
const BUSY_LOAD = 0.3;
const DEFAULT_COLUMNS = 80;

/** In place of a file: the standard output, on which then is nothing else. */
const STANDARD_OUTPUT = '-';

export interface BenchmarkRun {
  readonly quick: boolean;
  /** Where the figures go as JSON; `-` for the standard output. @default nowhere */
  readonly json?: string;
  /** Folder for pictures. @default none are drawn */
  readonly plots?: string;
}

/** Who is told. */
export interface BenchmarkAudience {
  readonly output: Output;
  /** For progress and remarks. */
  readonly errors: Output;
  readonly palette: Palette;
  readonly signal: AbortSignal;
}

/**
 * Runs a benchmark: the progress on one line of a terminal, remarks, and at the end its figures as a table, or as
 * `{"bench", "node", "cpu", "metrics": {name: number}}`.
 * @throws FramelockError USAGE (the file cannot be written; before anything is measured), CLOSED (interrupted), and as the benchmark
 */
export async function runBenchmark(
  benchmark: Benchmark,
  { quick, json, plots }: BenchmarkRun,
  { output, errors, palette, signal }: BenchmarkAudience,
): Promise<void> {
  if (json !== undefined && json !== STANDARD_OUTPUT) await assertWritable(json);
  const line = new ProgressLine(errors);
  const title = `${benchmark.name}: ${benchmark.summary}`;
  // The palette is made for the output; this may go elsewhere.
  line.say(errors.isTTY === true ? palette.faint(title) : title);
  const [load = 0] = loadavg();
  if (load > BUSY_LOAD * availableParallelism()) {
    line.say(`other programs take this machine's cores (load ${load.toFixed(1)}): the figures tell of what they leave`);
  }
  const metrics = await measured(benchmark, { quick, ...(plots === undefined ? {} : { plots }), signal }, line);
  const report = { bench: benchmark.name, node: process.version, cpu: cpus()[0]?.model ?? 'unknown', metrics };
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (json === STANDARD_OUTPUT) {
    output.write(text);
    return;
  }
  if (json !== undefined) await writeFile(json, text);
  output.write(`${linesOf(benchmark.table?.(metrics) ?? plainTable(metrics), palette).join('\n')}\n`);
}

async function measured(
  benchmark: Benchmark,
  options: { readonly quick: boolean; readonly plots?: string; readonly signal: AbortSignal },
  line: ProgressLine,
): Promise<Metrics> {
  try {
    return await benchmark.run({
      ...options,
      progress: (text) => line.show(text),
      note: (text) => line.say(text),
    });
  } finally {
    line.clear();
  }
}

/** What is found out after minutes of measuring is found out too late. */
async function assertWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw usageError(`--json ${path}: ${describeError(error)}`, error);
  }
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    // It will be made.
    () => false,
  );
  if (isFolder) throw usageError(`--json ${path}: it is a folder`);
}

/** One line of a terminal that is written over again and again. Elsewhere remarks are all that is said. */
class ProgressLine {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  show(text: string): void {
    if (this.#output.isTTY !== true) return;
    // A terminal that does not know its size says 0.
    const columns = this.#output.columns || DEFAULT_COLUMNS;
    // One that wraps could not be written over.
    this.#output.write(`\r\u001b[K${text.slice(0, columns - 1)}`);
  }

  clear(): void {
    if (this.#output.isTTY === true) this.#output.write('\r\u001b[K');
  }

  say(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }
}

function plainTable(metrics: Metrics): FigureTable {
  return {
    columns: [
      { title: 'metric', align: 'left' },
      { title: 'value', align: 'right' },
    ],
    rows: Object.entries(metrics).map(([name, value]) => [name, String(Number(value.toFixed(4)))]),
  };
}

function linesOf({ columns, rows }: FigureTable, palette: Palette): readonly string[] {
  const [titles = '', ...lines] = tableLines(
    columns.map((column, index) => ({ ...column, cell: (row: readonly string[]) => row[index] ?? '' })),
    rows,
  );
  return [palette.strong(titles), ...lines];
}
