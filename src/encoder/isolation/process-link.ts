import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withDeadline } from '../../concurrency/deadline.js';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import { type EncoderAnswer, type EncoderRequest, SLOT_FD } from './encoder-messages.js';
import type { FrameSlot } from './frame-slot.js';

/** How long a process may take to end once it is told to. */
const END_TIMEOUT_MS = 1000;
/** One job at a time, and files, are all that runs on its thread pool. */
const POOL_THREADS = '2';

/** A process of one encoder, asked one thing at a time. Owner: the encoder. */
export class ProcessLink {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #ended: Promise<void>;
  /** How it ended; nothing while it runs. */
  #end: string | undefined;
  #settle: ((answer: EncoderAnswer | undefined) => void) | undefined;

  constructor(slot: FrameSlot, clock: Clock) {
    this.#clock = clock;
    const stdio: ('ignore' | 'inherit' | 'ipc' | number)[] = ['ignore', 'inherit', 'inherit', 'ipc'];
    stdio[SLOT_FD] = slot.fd;
    this.#child = fork(modulePath(), {
      stdio,
      // Bytes cross as bytes, not as JSON.
      serialization: 'advanced',
      env: { ...process.env, UV_THREADPOOL_SIZE: POOL_THREADS },
      execArgv: runsFromSource() ? ['--import', 'tsx'] : [],
    });
    this.#child.on('message', (answer: EncoderAnswer) => this.#answered(answer));
    this.#ended = new Promise((resolve) => {
      const ended = (how: string): void => {
        this.#end ??= how;
        this.#answered(undefined);
        resolve();
      };
      this.#child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
      this.#child.once('error', (error) => ended(error.message));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Asks for something and waits for the answer. A process that does not answer in time is ended: whatever it does, it does not do its work.
   * @throws FramelockError ENCODER_FAILED (the process has ended or hangs), or what the process failed with
   */
  async ask(request: EncoderRequest, timeoutMs: number): Promise<EncoderAnswer> {
    const answered = new Promise<EncoderAnswer | undefined>((resolve) => {
      this.#settle = resolve;
    });
    if (this.#end !== undefined || !this.#child.connected) this.#answered(undefined);
    // An error here means that the process is gone, which its end tells as well.
    else this.#child.send(request, () => undefined);
    const outcome = await withDeadline(answered, timeoutMs, this.#clock, () => undefined);
    if (!outcome.ended) {
      this.#end ??= `no answer within ${timeoutMs} ms`;
      this.#child.kill('SIGKILL');
    }
    const answer = outcome.ended ? outcome.value : undefined;
    if (answer === undefined) {
      throw new FramelockError('ENCODER_FAILED', `The process of the encoder has ended: ${this.#end ?? 'it is gone'}.`);
    }
    if (answer.kind === 'failed') throw new FramelockError(answer.code, answer.message);
    return answer;
  }

  /** Ends the process, gently at first. Resolves when it is gone. */
  async end(): Promise<void> {
    if (this.#end === undefined && this.#child.connected) this.#child.send({ kind: 'close' }, () => undefined);
    const { ended } = await withDeadline(this.#ended, END_TIMEOUT_MS, this.#clock, () => undefined);
    if (!ended) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #answered(answer: EncoderAnswer | undefined): void {
    this.#settle?.(answer);
    this.#settle = undefined;
  }
}

function runsFromSource(): boolean {
  return import.meta.url.endsWith('.ts');
}

function modulePath(): string {
  return fileURLToPath(new URL(`./encoder-process.${runsFromSource() ? 'ts' : 'js'}`, import.meta.url));
}
