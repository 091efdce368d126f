import { BENCHMARKS } from '../bench/benchmarks.js';
import type { BenchCommand } from './command-line.js';
import type { Interruption } from './interruption.js';
import { runBenchmark } from './run-benchmark.js';
import type { Palette } from './status-table.js';
import type { Output } from './terminal.js';
import { usageError } from './usage-error.js';

/** Runs `framelock bench`. @throws FramelockError USAGE, CLOSED (interrupted before it had its figures), and as the benchmark */
export async function runBench(
  { name, quick, json, file }: BenchCommand,
  environment: {
    readonly output: Output;
    readonly errors: Output;
    readonly palette: Palette;
    readonly interruption: Interruption;
  },
): Promise<void> {
  const [standard] = BENCHMARKS;
  const benchmark = name === undefined ? standard : BENCHMARKS.find((known) => known.name === name);
  if (benchmark === undefined) {
    throw usageError(`there is no benchmark "${name}": use ${BENCHMARKS.map((known) => known.name).join(', ')}`);
  }
  const { interruption, ...audience } = environment;
  const target = json ? '-' : file;
  await runBenchmark(
    benchmark,
    { quick, ...(target === undefined ? {} : { json: target }) },
    { ...audience, signal: interruption.signal },
  );
}
