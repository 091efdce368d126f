import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Mutant } from '../test/mutants/mutant.js';

/** A hang counts as a failure of the suite. */
const RUN_TIMEOUT_MS = 60_000;
/** What the unit tests need; `node_modules` is linked. */
const COPIED = ['src', 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const RESULT_FILE = 'result.json';

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

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** A copy of the project in which guards are taken away, one at a time. Owner: whoever made it, who runs one thing at a time on it. */
export class MutantBench {
  readonly #root = mkdtempSync(join(tmpdir(), 'mutants-'));

  constructor() {
    for (const name of COPIED) cpSync(name, join(this.#root, name), { recursive: true });
    symlinkSync(resolve('node_modules'), join(this.#root, 'node_modules'));
  }

  /** Takes one guard away, runs its tests, and puts it back. */
  async try(mutant: Mutant): Promise<Outcome> {
    const path = join(this.#root, mutant.file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, mutate(source, mutant));
    try {
      return await this.run(mutant.tests);
    } finally {
      writeFileSync(path, source);
    }
  }

  /** Runs test files on the copy as it is now. */
  async run(tests: readonly string[]): Promise<Outcome> {
    const resultPath = join(this.#root, RESULT_FILE);
    rmSync(resultPath, { force: true });
    const files = tests.map((name) => `test/${name}.test.ts`);
    const { exitCode, output } = await runVitest(this.#root, files);
    if (exitCode === undefined) return { verdict: 'hung', by: `nothing failed within ${RUN_TIMEOUT_MS / 1000} s` };
    return judge(exitCode, readReport(resultPath), output);
  }

  /** Deletes the copy. */
  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** The source without the guard. @throws Error unless the text to replace occurs exactly once */
export function mutate(source: string, { name, file, find, replace }: Mutant): string {
  const occurrences = source.split(find).length - 1;
  if (occurrences === 1) return source.replace(find, () => replace);
  throw new Error(`mutant "${name}": its text occurs ${occurrences} times in ${file}, not once; bring it up to date`);
}

function judge(exitCode: number, report: Report | undefined, output: string): Outcome {
  const results = report?.testResults ?? [];
  const failed = results.flatMap(({ assertionResults }) => assertionResults).find(({ status }) => status === 'failed');
  if (failed !== undefined) return { verdict: 'killed', by: failed.fullName };
  const passed = report?.numPassedTests ?? 0;
  if (exitCode === 0 && passed > 0) return { verdict: 'survived', by: `${passed} tests passed` };
  const unloaded = results.find(({ status }) => status === 'failed');
  if (unloaded !== undefined || passed === 0) return { verdict: 'broken', by: unloaded?.message ?? output.slice(-500) };
  return { verdict: 'killed', by: 'an error that nobody handled' };
}

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    // No report: vitest did not get as far as running tests, which `judge` calls broken.
    return undefined;
  }
}

function runVitest(
  root: string,
  files: readonly string[],
): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
  const reporting = ['--reporter=json', `--outputFile=${RESULT_FILE}`];
  const args = ['run', '--project', 'unit', '--bail=1', '--maxWorkers=1', ...reporting, ...files];
  return new Promise((done, fail) => {
    // A process group of its own, so that its workers end with it.
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += String(text)));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, RUN_TIMEOUT_MS);
    child.on('error', fail);
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ exitCode: timedOut ? undefined : (code ?? 1), output });
    });
  });
}
