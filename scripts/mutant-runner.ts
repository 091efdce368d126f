// Runs unit tests again and again in one process, which costs a third of a process each: what did not change need not be compiled again. Asked and answered
// by messages; `mutant-bench.ts` starts it in its copy of the project.
import { resolve } from 'node:path';
import { createVitest, type TestModule } from 'vitest/node';

/** What is asked. */
export interface RunRequest {
  /** Test files. */
  readonly tests: readonly string[];
  /** Files that are not what they were in the last run. */
  readonly changed: readonly string[];
}

/** What a run of the tests came to. */
export interface Outcome {
  /**
   * `killed`: a test failed. `hung`: nothing failed within 60 s. `survived`: all tests passed. `broken`: the tests did not load, which proves
   * nothing.
   */
  readonly verdict: 'killed' | 'hung' | 'survived' | 'broken';
  /** The test that failed first, or what else went wrong. */
  readonly by: string;
}

/** What waits for ever has failed; the slowest test takes a third of this. */
const TEST_TIMEOUT_MS = 15_000;

const vitest = await createVitest('test', {
  watch: false,
  project: ['unit'],
  bail: 1,
  maxWorkers: 1,
  // A process for each file, which has loaded nothing yet.
  isolate: true,
  testTimeout: TEST_TIMEOUT_MS,
  // None: the outcome is all there is to tell.
  reporters: [{}],
});
await vitest.standalone();
process.on('message', (request: RunRequest) => void answer(request));
process.once('disconnect', () => process.exit());

async function answer({ tests, changed }: RunRequest): Promise<void> {
  for (const file of changed) vitest.invalidateFile(resolve(file));
  const files = tests.map((file) => resolve(file));
  const specifications = files.flatMap((file) => vitest.getModuleSpecifications(file));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const modules = testModules.filter(({ moduleId }) => files.includes(moduleId));
  process.send?.(judge(modules, unhandledErrors) satisfies Outcome);
}

function judge(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): Outcome {
  const [failed] = modules.flatMap(({ children }) => [...children.allTests('failed')]);
  if (failed !== undefined) return { verdict: 'killed', by: failed.fullName };
  const [fault] = modules.flatMap((module) => module.errors());
  const passed = modules.flatMap(({ children }) => [...children.allTests('passed')]).length;
  if (fault !== undefined || passed === 0) return { verdict: 'broken', by: fault?.message ?? 'no test ran' };
  if (unhandledErrors.length > 0) return { verdict: 'killed', by: 'an error that nobody handled' };
  return { verdict: 'survived', by: `${passed} tests passed` };
}
