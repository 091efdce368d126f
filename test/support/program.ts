import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A `framelock` command, or another program of ours, as a process of its own, started from the sources. */
export class Program {
  readonly #process: ChildProcess;
  readonly ended: Promise<ProgramEnd>;
  #stdout = '';
  #stderr = '';

  /** @param loader options of Node that make the script's language understood */
  constructor(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    script = 'src/cli/main.ts',
    loader: readonly string[] = ['--import', 'tsx'],
  ) {
    // Node itself and not a wrapper, so that signals reach the program and its exit code reaches us.
    this.#process = spawn(process.execPath, [...loader, script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ended = once(this.#process, 'close').then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves with the first match in what the program has printed to stdout; fails if it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    let over = false;
    void this.ended.then(() => {
      over = true;
    });
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      if (over) throw new Error(`the program ended without printing ${pattern}: ${this.#stdout}${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends a signal, as Ctrl-C does, and resolves with how the program ended. */
  async signal(name: NodeJS.Signals): Promise<ProgramEnd> {
    this.#process.kill(name);
    return this.ended;
  }

  /** Ends the program whatever it takes. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}
