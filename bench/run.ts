import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { allocation } from './allocation.js';
import { api } from './api.js';
import type { Benchmark, BenchmarkContext } from './benchmark.js';
import { congestion } from './congestion.js';
import { congestionReal, congestionRealNative } from './congestion-real.js';
import { connect } from './connect.js';
import { encoders } from './encoders.js';
import { fec } from './fec.js';
import { locks } from './locks.js';
import { pipeline } from './pipeline.js';
import { swap } from './swap.js';
import { transport } from './transport.js';

const BENCHMARKS: readonly Benchmark[] = [
  allocation,
  api,
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
const benchmark = BENCHMARKS.find(({ name }) => name === positionals[0]);
if (benchmark === undefined) {
  console.error('usage: npm run bench -- NAME [--quick] [--json FILE] [--plots FOLDER]\n');
  for (const { name, summary } of BENCHMARKS) console.error(`  ${name.padEnd(22)} ${summary}`);
  process.exit(2);
}

const metrics = await benchmark.run(createContext(values.quick, values.plots));
clearProgress();
for (const [name, value] of Object.entries(metrics)) console.log(`${name.padEnd(40)} ${Number(value.toFixed(4))}`);
if (values.json !== undefined) {
  const report = { bench: benchmark.name, node: process.version, cpu: cpus()[0]?.model ?? 'unknown', metrics };
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

function createContext(quick: boolean, plots: string | undefined): BenchmarkContext {
  return {
    quick,
    ...(plots === undefined ? {} : { plots }),
    progress: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
    },
    note: (text) => {
      clearProgress();
      console.error(text);
    },
  };
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}
