// Takes the guards of the project away, one at a time, and expects the unit tests to fail each time: a guard that no test misses is not
// guaranteed. Exits 1 if a mutant survives. Usage: npm run mutants [-- --only NAME]
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Mutant } from '../test/mutants/mutant.js';
import { MUTANTS } from '../test/mutants/mutants.js';
import { MutantBench, mutate } from './mutant-bench.js';
import type { Outcome } from './mutant-runner.js';

/** Mutants that are tried at the same time. */
const BENCHES = 2;
/** For all the test files of a bench, one after the other. */
const UNTOUCHED_TIMEOUT_MS = 600_000;

interface Trial extends Outcome {
  readonly mutant: Mutant;
  readonly seconds: number;
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const chosen = MUTANTS.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) throw new Error(`there is no mutant "${values.only}"`);
checkList();
const startedAt = Date.now();
const trials = await tryAll(chosen);
printTable(trials);
const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
const notKilled = trials.filter(({ verdict }) => verdict === 'survived' || verdict === 'broken');
console.log(`\n${trials.length - notKilled.length} of ${trials.length} mutants killed in ${seconds} s.`);
if (notKilled.length > 0) process.exitCode = 1;

/** The list must not rot: every text is there once, every test file exists, every name is unique. */
function checkList(): void {
  for (const mutant of MUTANTS) {
    mutate(readFileSync(mutant.file, 'utf8'), mutant);
    const missing = mutant.tests.find((name) => !existsSync(`test/${name}.test.ts`));
    if (missing !== undefined) throw new Error(`mutant "${mutant.name}": there is no test/${missing}.test.ts`);
  }
  if (new Set(MUTANTS.map(({ name }) => name)).size < MUTANTS.length) throw new Error('two mutants have the same name');
}

async function tryAll(mutants: readonly Mutant[]): Promise<readonly Trial[]> {
  const queue = [...mutants];
  const done: Trial[] = [];
  const work = async (bench: MutantBench): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const from = Date.now();
      const outcome = await bench.try(mutant);
      const trial = { ...outcome, mutant, seconds: (Date.now() - from) / 1000 };
      done.push(trial);
      console.log(`${String(done.length).padStart(3)}/${mutants.length} ${describeTrial(trial)}`);
    }
  };
  const benches = Array.from({ length: BENCHES }, () => new MutantBench());
  try {
    await Promise.all(benches.map((bench, index) => checkUntouched(bench, mutants, index)));
    await Promise.all(benches.map(work));
  } finally {
    for (const bench of benches) bench.remove();
  }
  return mutants.flatMap((mutant) => done.filter((trial) => trial.mutant === mutant));
}

/** A test that fails without a mutant would kill them all. Each bench runs its part of the test files. */
async function checkUntouched(bench: MutantBench, mutants: readonly Mutant[], index: number): Promise<void> {
  const tests = [...new Set(mutants.flatMap(({ tests }) => tests))].filter((_, at) => at % BENCHES === index);
  if (tests.length === 0) return;
  const { verdict, by } = await bench.run(tests, UNTOUCHED_TIMEOUT_MS);
  if (verdict !== 'survived') throw new Error(`the tests do not pass without any mutant (${verdict}): ${by}`);
}

function describeTrial({ mutant, verdict, by, seconds }: Trial): string {
  return `${verdict.padEnd(8)} ${mutant.name} (${seconds.toFixed(1)} s) by: ${by}`;
}

function printTable(all: readonly Trial[]): void {
  console.log('\n| guarantee | mutants | killed | of these by a hang | survived | broken |\n|---|---|---|---|---|---|');
  for (const guarantee of new Set(all.map(({ mutant }) => mutant.guarantee))) {
    const some = all.filter(({ mutant }) => mutant.guarantee === guarantee);
    const count = (verdict: Outcome['verdict']): number => some.filter((trial) => trial.verdict === verdict).length;
    const hung = count('hung');
    console.log(
      `| ${guarantee} | ${some.length} | ${count('killed') + hung} | ${hung} | ${count('survived')} | ${count('broken')} |`,
    );
  }
  for (const trial of all) if (trial.verdict !== 'killed') console.log(`\n${describeTrial(trial)}`);
}
