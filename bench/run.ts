import { parseArgs } from 'node:util';
import type { Benchmark } from '../src/bench/benchmark.js';
import { BENCHMARKS } from '../src/bench/benchmarks.js';
import { runBenchmark } from '../src/cli/run-benchmark.js';
import { plainPalette } from '../src/cli/status-table.js';
import { allocation } from './allocation.js';
import { congestion } from './congestion.js';
import { congestionReal, congestionRealNative } from './congestion-real.js';
import { connect } from './connect.js';
import { encoders } from './encoders.js';
import { fec } from './fec.js';
import { locks } from './locks.js';
import { pipeline } from './pipeline.js';
import { swap } from './swap.js';
import { transport } from './transport.js';

/** Those of `framelock bench`, and those that need what is not in the package, or tell nothing to whoever did not write it. */
const ALL: readonly Benchmark[] = [
  ...BENCHMARKS,
  allocation,
  congestion,
  congestionReal,
  congestionRealNative,
  connect,
  encoders,
  fec,
  locks,
  pipeline,
  swap,
  transport,
];

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, plots: { type: 'string' } },
  allowPositionals: true,
});
const benchmark = ALL.find(({ name }) => name === positionals[0]);
if (benchmark === undefined) {
  console.error('usage: npm run bench -- NAME [--quick] [--json FILE] [--plots FOLDER]\n');
  for (const { name, summary } of ALL) console.error(`  ${name.padEnd(22)} ${summary}`);
  process.exit(2);
}

const { stdout: output, stderr: errors } = process;
// Ctrl-C ends the process, and with it those that it has started.
const { signal } = new AbortController();
await runBenchmark(benchmark, values, { output, errors, palette: plainPalette, signal });
