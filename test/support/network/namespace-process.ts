import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The first message of every such process. */
export const READY = 'ready';

/** How long a process may take to end once it is told to. */
const END_TIMEOUT_MS = 5000;

/** What a process is started with. */
export interface NamespaceProcessInit {
  readonly namespace: string;
  /** The file of TypeScript that it runs; it ends when it is disconnected from its parent. */
  readonly script: URL;
  readonly args?: readonly string[];
  /** As of `os.setPriority`. @default that of this process */
  readonly priority?: number;
  /** Takes its messages, but for {@link READY}. */
  readonly received: (message: unknown) => void;
  /** Told if it ends before `close`. */
  readonly died: (reason: Error) => void;
}

/** A child process within a network namespace, with a channel for messages. */
export class NamespaceProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #closing = false;

  private constructor({ namespace, script, args = [], priority }: NamespaceProcessInit) {
    // `ip` becomes the program that it starts, so channel and process id are those of Node.
    const command = ['netns', 'exec', namespace, process.execPath, '--import', 'tsx', fileURLToPath(script), ...args];
    this.#child = spawn('ip', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#exited = once(this.#child, 'exit');
    if (priority !== undefined && this.#child.pid !== undefined) setPriority(this.#child.pid, priority);
  }

  /** Resolves when it is ready; fails if it ends before. */
  static async start(init: NamespaceProcessInit): Promise<NamespaceProcess> {
    const process = new NamespaceProcess(init);
    await new Promise<void>((resolve, reject) => {
      process.#child.on('message', (message) => (message === READY ? resolve() : init.received(message)));
      process.#child.once('exit', (code, signal) => {
        const reason = new Error(`${fileURLToPath(init.script)} ended with ${signal ?? code}`);
        reject(reason);
        if (!process.#closing) init.died(reason);
      });
    });
    return process;
  }

  send(message: object | string): void {
    this.#child.send(message);
  }

  /** Idempotent; resolves when the process is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#child.connected) this.#child.disconnect();
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(deadline);
  }
}
