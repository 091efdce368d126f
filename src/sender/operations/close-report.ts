import { withDeadline } from '../../concurrency/deadline.js';
import type { Clock } from '../../core/clock.js';

/** How one step of a shutdown went. */
export interface CloseStep {
  readonly name: string;
  readonly durationMs: number;
  /**
   * `completed` in time, `abandoned` at its deadline, `failed` with an error, or `deferred`: an event handler that closes cannot wait for its
   * own end, so its report does not tell of it.
   */
  readonly outcome: 'completed' | 'abandoned' | 'failed' | 'deferred';
  /** Why it failed. */
  readonly reason?: string;
}

/** What a `close()` did, in order. */
export interface CloseReport {
  readonly steps: readonly CloseStep[];
  /** Whether no step was abandoned or failed. */
  readonly clean: boolean;
}

/** Puts the steps of a shutdown together. */
export function closeReport(...steps: readonly CloseStep[]): CloseReport {
  return { steps, clean: steps.every(({ outcome }) => outcome === 'completed' || outcome === 'deferred') };
}

/** Runs the steps of a shutdown, each bounded in time: one that hangs or fails is reported, and the next ones still run. */
export class Shutdown {
  readonly #clock: Clock;
  readonly #stepTimeoutMs: number;
  readonly #steps: CloseStep[] = [];

  constructor(clock: Clock, stepTimeoutMs: number) {
    this.#clock = clock;
    this.#stepTimeoutMs = stepTimeoutMs;
  }

  async step(name: string, run: () => Promise<unknown>): Promise<void> {
    const startedAtUs = this.#clock.nowUs();
    const finished = (outcome: CloseStep['outcome'], reason?: string): void => {
      const durationMs = (this.#clock.nowUs() - startedAtUs) / 1000;
      this.#steps.push({ name, durationMs, outcome, ...(reason === undefined ? {} : { reason }) });
    };
    try {
      // A late failure of an abandoned step has been reported already, as abandoned.
      const { ended } = await withDeadline(run(), this.#stepTimeoutMs, this.#clock, () => undefined);
      finished(ended ? 'completed' : 'abandoned');
    } catch (error) {
      finished('failed', error instanceof Error ? error.message : String(error));
    }
  }

  /** The steps so far. */
  get steps(): readonly CloseStep[] {
    return [...this.#steps];
  }
}
