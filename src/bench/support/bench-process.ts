import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FramelockError } from '../../core/errors.js';

/** What a benchmark measures against, or what it measures, in a process of its own. Owner: the benchmark, which asks one thing at a time. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  /** How it ended; nothing while it runs. */
  #end: string | undefined;
  #settle: ((message: { readonly answer: unknown } | undefined) => void) | undefined;

  /** @param program file name in this folder, without its extension; it says something when it is ready, see {@link ready} */
  constructor(program: string, output: 'inherit' | 'ignore' = 'inherit') {
    // Compiled or not as this file is.
    const extension = extname(import.meta.url);
    this.#child = fork(fileURLToPath(new URL(`./${program}${extension}`, import.meta.url)), {
      execArgv: extension === '.ts' ? ['--import', 'tsx'] : [],
      stdio: ['ignore', output, 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    this.#child.on('message', (answer) => this.#settle?.({ answer }));
    this.#ended = new Promise((resolve) => {
      const ended = (how: string): void => {
        this.#end ??= how;
        this.#settle?.(undefined);
        resolve();
      };
      this.#child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
      this.#child.once('error', (error) => ended(error.message));
    });
  }

  /** The first thing that it says. @throws FramelockError CLOSED (it has ended) */
  ready<Answer>(): Promise<Answer> {
    return this.#next<Answer>();
  }

  /** @throws FramelockError CLOSED (it has ended) */
  ask<Answer>(question: string): Promise<Answer> {
    const answer = this.#next<Answer>();
    // An error here means that it is gone, which its end tells as well.
    if (this.#child.connected) this.#child.send(question, () => undefined);
    return answer;
  }

  /** Ends it in order, and resolves when it is gone. Idempotent. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }

  async #next<Answer>(): Promise<Answer> {
    const message =
      this.#end !== undefined
        ? undefined
        : await new Promise<{ readonly answer: unknown } | undefined>((resolve) => {
            this.#settle = resolve;
          });
    if (message !== undefined) return message.answer as Answer;
    throw new FramelockError('CLOSED', `a process of the benchmark has ended: ${this.#end}`);
  }
}
