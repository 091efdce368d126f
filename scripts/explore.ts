import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { noViolation } from '../test/support/exploration/exploration.js';
import { describeSchedule } from '../test/support/exploration/schedule.js';

/**
 * Explores schedules of a sender: `npm run explore -- --runs N --seed S`. Stops at the first violation, with the shortest schedule found
 * that shows it and the command that replays it. The same seed gives the same schedules and the same digest.
 */
const PROGRESS_EVERY_MS = 500;

const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
});
const seed = integer('seed', values.seed, Date.now() | 0);
const { path } = values;
const numRuns = path === undefined ? integer('runs', values.runs, 10_000) : 1;
if (numRuns < 1) throw new Error('--runs must be at least 1');

const startedMs = performance.now();
const trace = createHash('sha256');
let schedules = 0;
let shownMs = startedMs;

const result = await fc.check(
  noViolation(({ digest }) => {
    schedules += 1;
    trace.update(digest);
    showProgress();
  }),
  { seed, numRuns, ...(path === undefined ? {} : { path, endOnFailure: true }) },
);
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

if (result.failed) {
  const [schedule] = result.counterexample ?? [];
  const cause = result.errorInstance;
  console.log(`Violated by schedule ${result.numRuns} of seed ${seed}, shrunk ${result.numShrinks} times:\n`);
  console.log(cause instanceof Error ? cause.message : String(cause));
  if (schedule !== undefined) console.log(`\n${describeSchedule(schedule)}`);
  console.log(`\nReplay: npm run explore -- --seed ${seed} --path ${result.counterexamplePath ?? path}`);
  process.exitCode = 1;
} else {
  console.log(
    `${schedules} schedules from seed ${seed}, ${rate()}: no violation. Trace ${trace.digest('hex').slice(0, 16)}.`,
  );
}

function rate(): string {
  return `${Math.round(schedules / ((performance.now() - startedMs) / 1000))} a second`;
}

function showProgress(): void {
  const nowMs = performance.now();
  if (!process.stderr.isTTY || nowMs - shownMs < PROGRESS_EVERY_MS) return;
  shownMs = nowMs;
  process.stderr.write(`\r\x1b[K${schedules} of ${numRuns} schedules, ${rate()}`);
}

function integer(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value)) throw new Error(`--${name} must be a whole number, not "${text}"`);
  return value;
}
