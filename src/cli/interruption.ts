import type { EventEmitter } from 'node:events';

/** Signals that ask a command to end. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Turns Ctrl-C and SIGTERM into an AbortSignal. The first one asks for an orderly end; a second one ends the process at once, for the case
 * that the orderly end hangs.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #process: EventEmitter;
  readonly #forceExit: () => void;
  readonly #interrupt = (): void => {
    if (this.#controller.signal.aborted) this.#forceExit();
    this.#controller.abort();
  };
  #isHungUp = false;
  readonly #hungUp = (): void => {
    this.#isHungUp = true;
    this.#terminalGone();
  };
  readonly #terminalGone = (): void => this.#controller.abort();

  constructor(process: EventEmitter, forceExit: () => void) {
    this.#process = process;
    this.#forceExit = forceExit;
    for (const name of SIGNALS) process.on(name, this.#interrupt);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the terminal has been closed, for a command that ends with it. */
  get isHungUp(): boolean {
    return this.#isHungUp;
  }

  /** Resolves when the end is asked for. */
  wait(): Promise<void> {
    const { signal } = this.#controller;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /**
   * For commands that somebody looks at: asks for an orderly end, too, when the terminal is closed or whoever reads the output has gone. Both may come more than once,
   * and force nothing.
   */
  endWithTerminal(output: EventEmitter): void {
    this.#process.on('SIGHUP', this.#hungUp);
    output.on('error', this.#terminalGone);
  }

  /** Gives the signals back. The output keeps its listener: what is still written to one that has gone must not end the process. */
  dispose(): void {
    for (const name of SIGNALS) this.#process.off(name, this.#interrupt);
    this.#process.off('SIGHUP', this.#hungUp);
  }
}
