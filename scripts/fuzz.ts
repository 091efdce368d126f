// Feeds one part of the sender with hostile input: npm run fuzz -- --target rtcp|twcc|sdp|frames|datagram|datagram-native|whip [--runs N] [--seed S]
// Exits 1 at the first thing that must not happen, with the seed, the last inputs and the command that replays it.
import { parseArgs } from 'node:util';
import { FuzzRandom } from '../test/fuzz/fuzz-random.js';
import type { FuzzTarget } from '../test/fuzz/fuzz-target.js';
import { FUZZ_TARGETS } from '../test/fuzz/fuzz-targets.js';

const DEFAULT_RUNS = 10_000;
const PROGRESS_EVERY_MS = 500;
/** Live heap may be this much larger at the end than after a tenth of the runs. */
const MAX_HEAP_GROWTH_BYTES = 32_000_000;
/** Last inputs that are shown. */
const INPUTS_SHOWN = 3;

const { values } = parseArgs({
  options: { target: { type: 'string' }, runs: { type: 'string' }, seed: { type: 'string' } },
});
const name = values.target ?? '';
const open = FUZZ_TARGETS.get(name);
if (open === undefined)
  throw new Error(`--target must be one of ${[...FUZZ_TARGETS.keys()].join(', ')}, not "${name}"`);
const runs = integer('runs', values.runs, DEFAULT_RUNS, 1);
const seed = integer('seed', values.seed, Date.now() % 0x1_0000_0000, 0);

const outcomes = new Map<string, number>();
/** The newest at the end. */
const inputs: Uint8Array[] = [];
/** What went wrong where nobody waited for it. */
const escaped: unknown[] = [];
process.on('uncaughtException', (error) => escaped.push(error));
process.on('unhandledRejection', (error) => escaped.push(error));

const startedMs = performance.now();
let done = 0;
let shownMs = startedMs;
let heapBefore = 0;

const target = await open();
try {
  await runAll(target);
  const facts = await target.close();
  await new Promise((resolve) => setImmediate(resolve));
  checkEscaped();
  const growth = liveHeapBytes() - heapBefore;
  if (growth > MAX_HEAP_GROWTH_BYTES) throw new Error(`the live heap has grown by ${megabytes(growth)}`);
  clearProgress();
  printTable({ ...facts, 'growth of the live heap': megabytes(growth) });
} catch (error) {
  clearProgress();
  report(error);
}

async function runAll({ run }: FuzzTarget): Promise<void> {
  const batch = run.bind(target);
  for (; done < runs; done += 1) {
    if (done === Math.floor(runs / 10)) heapBefore = liveHeapBytes();
    const outcome = await batch(new FuzzRandom(seed + done), note);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    checkEscaped();
    showProgress();
  }
}

function note(input: Uint8Array): void {
  inputs.push(input);
  if (inputs.length > INPUTS_SHOWN) inputs.shift();
}

function checkEscaped(): void {
  if (escaped.length > 0) throw escaped[0];
}

function report(error: unknown): void {
  console.log(`${name}: run ${done} of seed ${seed} failed:\n`);
  console.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  console.log('\nThe last inputs, the newest last:');
  for (const input of inputs) console.log(Buffer.from(input).toString('hex'));
  const [first, count] = target.stateful ? [seed, done + 1] : [seed + done, 1];
  console.log(`\nReplay: npm run fuzz -- --target ${name} --seed ${first} --runs ${count}`);
  process.exit(1);
}

function printTable(facts: Readonly<Record<string, string | number>>): void {
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`${name}: ${runs} runs from seed ${seed} in ${seconds.toFixed(1)} s, nothing that must not happen.`);
  const rows = [...[...outcomes].sort(([, a], [, b]) => b - a), ...Object.entries(facts)];
  const width = Math.max(...rows.map(([label]) => label.length));
  for (const [label, value] of rows) console.log(`  ${label.padEnd(width)}  ${value}`);
}

function showProgress(): void {
  const nowMs = performance.now();
  if (!process.stderr.isTTY || nowMs - shownMs < PROGRESS_EVERY_MS) return;
  shownMs = nowMs;
  const rate = Math.round(done / ((nowMs - startedMs) / 1000));
  process.stderr.write(`\r\x1b[K${name}: ${done} of ${runs} runs, ${rate} a second`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

function liveHeapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function integer(option: string, text: string | undefined, otherwise: number, least: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < least) {
    throw new Error(`--${option} must be a whole number from ${least} on, not "${text}"`);
  }
  return value;
}
