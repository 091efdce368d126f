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

  constructor(process: EventEmitter, forceExit: () => void) {
    this.#process = process;
    this.#forceExit = forceExit;
    for (const name of SIGNALS) process.on(name, this.#interrupt);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves when the end is asked for. */
  wait(): Promise<void> {
    const { signal } = this.#controller;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** Gives the signals back. */
  dispose(): void {
    for (const name of SIGNALS) this.#process.off(name, this.#interrupt);
  }
}
