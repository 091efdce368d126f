import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeResult, judge, resultOf } from '../test/support/stress/stress-result.js';
import { StressRun } from '../test/support/stress/stress-run.js';
import { StressTable } from '../test/support/stress/stress-table.js';

/**
 * A storm of calls on a real sender: `npm run stress -- --seconds N --seed S --swaps N --cycles N [--json]`. The same seed gives the same
 * choices. Exits with 1 if a promise is broken. The process is left to end by itself, and the result is printed when it does.
 */
const EXIT_TIMEOUT_MS = 15_000;
/** Beyond the asked time: what starts, calms down and waits for pictures. */
const STUCK_AFTER_MS = 90_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    swaps: { type: 'string' },
    cycles: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const options = {
  seconds: atLeast(1, 'seconds', values.seconds, 60),
  seed: atLeast(0, 'seed', values.seed, Date.now() >>> 0),
  swaps: atLeast(0, 'swaps', values.swaps, 500),
  cycles: atLeast(0, 'cycles', values.cycles, 50),
};

const run = new StressRun(options);
const table = new StressTable(run, process.stderr);
process.on('unhandledRejection', (reason) => run.violations.add('fault', `unhandled rejection: ${String(reason)}`));
process.on('uncaughtException', (error) => run.violations.add('fault', `uncaught exception: ${error.stack}`));

/** When the run was over; nothing if it never was. */
let endedMs: number | undefined;
const stuck = setTimeout(
  () => {
    giveUp(`it is stuck in: ${run.phase}`);
  },
  options.seconds * 2000 + STUCK_AFTER_MS,
).unref();
await run.run().catch((error: unknown) => run.violations.add('fault', `the run failed: ${String(error)}`));
clearTimeout(stuck);
table.stop();
judge(run, options);

endedMs = performance.now();
setTimeout(() => {
  giveUp(`it does not end; what holds it: ${process.getActiveResourcesInfo().join(', ')}`);
}, EXIT_TIMEOUT_MS).unref();
// Comes when nothing is left to wait for.
process.once('beforeExit', () => tell());

function tell(): void {
  const exitMs = endedMs === undefined ? undefined : Math.round(performance.now() - endedMs);
  const result = resultOf(run, options, exitMs);
  writeSync(1, `${values.json ? JSON.stringify(result) : describeResult(result)}\n`);
  process.exitCode = result.passed ? 0 : 1;
}

/** For a process that would not end: nobody should have to wait for it. */
function giveUp(reason: string): never {
  table.stop();
  run.violations.add('fault', reason);
  tell();
  process.exit();
}

function atLeast(least: number, name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name} must be a whole number of at least ${least}, not "${text}"`);
}
