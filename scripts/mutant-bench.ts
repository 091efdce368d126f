import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Mutant } from '../test/mutants/mutant.js';
import type { Outcome, RunRequest } from './mutant-runner.js';

/** A hang counts as a failure of the suite. */
const RUN_TIMEOUT_MS = 60_000;
/** What the unit tests need; `node_modules` is linked. */
const COPIED = ['src', 'test', 'docs', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const RUNNER = 'scripts/mutant-runner.ts';

/** A copy of the project in which guards are taken away, one at a time. Owner: whoever made it, who runs one thing at a time on it. */
export class MutantBench {
  readonly #root = mkdtempSync(join(tmpdir(), 'mutants-'));
  /** Made when it is needed, and again after a hang. */
  #runner: ChildProcess | undefined;
  /** What the runner has not been told of. */
  #changed: readonly string[] = [];

  constructor() {
    for (const name of COPIED) cpSync(name, join(this.#root, name), { recursive: true });
    symlinkSync(resolve('node_modules'), join(this.#root, 'node_modules'));
  }

  /** Takes one guard away, runs its tests, and puts it back. */
  async try(mutant: Mutant): Promise<Outcome> {
    const path = join(this.#root, mutant.file);
    const source = readFileSync(path, 'utf8');
    this.#changed = [...this.#changed, mutant.file];
    writeFileSync(path, mutate(source, mutant));
    try {
      return await this.run(mutant.tests);
    } finally {
      writeFileSync(path, source);
      this.#changed = [mutant.file];
    }
  }

  /** Runs test files on the copy as it is now. */
  async run(tests: readonly string[], timeoutMs = RUN_TIMEOUT_MS): Promise<Outcome> {
    this.#runner ??= this.#start();
    const runner = this.#runner;
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), timeoutMs);
    const request: RunRequest = { tests: tests.map((name) => `test/${name}.test.ts`), changed: this.#changed };
    runner.send(request);
    try {
      const [outcome] = (await Promise.race([
        once(runner, 'message', { signal: over.signal }),
        once(runner, 'exit', { signal: over.signal }).then(([code]) => [
          { verdict: 'broken', by: `the runner ended with ${code}` } satisfies Outcome,
        ]),
      ])) as [Outcome];
      return outcome;
    } catch (error) {
      if (!over.signal.aborted) throw error;
      this.#stop();
      return { verdict: 'hung', by: `nothing failed within ${timeoutMs / 1000} s` };
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  /** Deletes the copy. */
  remove(): void {
    this.#stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #start(): ChildProcess {
    // A process group of its own, so that its workers end with it.
    const runner = fork(RUNNER, {
      cwd: this.#root,
      execArgv: ['--import', 'tsx'],
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    runner.once('exit', () => {
      if (this.#runner === runner) this.#runner = undefined;
    });
    return runner;
  }

  #stop(): void {
    const pid = this.#runner?.pid;
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    this.#runner = undefined;
  }
}

/** The source without the guard. @throws Error unless the text to replace occurs exactly once */
export function mutate(source: string, { name, file, find, replace }: Mutant): string {
  const occurrences = source.split(find).length - 1;
  if (occurrences === 1) return source.replace(find, () => replace);
  throw new Error(`mutant "${name}": its text occurs ${occurrences} times in ${file}, not once; bring it up to date`);
}
