import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { LockObserver, LockRequest, LockSide, ObservedLock } from './lock-observer.js';
import { type LockBooks, WaitForGraph } from './wait-for-graph.js';

/** Reports are at least this far apart; what gets stuck meanwhile is in the next one. */
const REPORT_INTERVAL_MS = 1000;

/** What a {@link LockTrace} is made with. */
export interface LockTraceOptions {
  /** The checker that watches the same locks. */
  readonly books: LockBooks;
  /** The clock of the locks. */
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  /** A request that waits longer is stuck, in milliseconds, above 0. */
  readonly thresholdMs: number;
}

/** A request that has not been reported as stuck. */
interface Unreported {
  readonly sinceUs: number;
}

/**
 * Reports requests that wait longer than a threshold: one warning with the graph of all holders and waiters, deadlocks named. Each stuck
 * request causes at most one report, and there is at most one report a second, however many requests get stuck.
 *
 * Owner of its mutable fields: the trace itself; they change only in synchronous code. Its timer runs only while something waits.
 */
export class LockTrace implements LockObserver {
  readonly #books: LockBooks;
  readonly #clock: Clock;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #thresholdMs: number;
  /** In order of arrival, so that the first is the next to be stuck. */
  readonly #unreported = new Set<Unreported>();
  #timer: Timer | undefined;
  #silentUntilUs = Number.NEGATIVE_INFINITY;

  constructor({ books, clock, logger, thresholdMs }: LockTraceOptions) {
    this.#books = books;
    this.#clock = clock;
    this.#logger = logger;
    this.#thresholdMs = thresholdMs;
  }

  requested(_lock: ObservedLock, _side: LockSide, nowUs: number): LockRequest {
    const request: Unreported = { sinceUs: nowUs };
    this.#unreported.add(request);
    this.#arm();
    const ended = (): void => {
      this.#unreported.delete(request);
      if (this.#unreported.size === 0) this.#disarm();
    };
    return { acquired: ended, abandoned: ended, run: (body) => body(), released: () => undefined };
  }

  #arm(): void {
    const [next] = this.#unreported;
    if (next === undefined || this.#timer !== undefined) return;
    const dueUs = Math.max(next.sinceUs + this.#thresholdMs * 1000, this.#silentUntilUs);
    this.#timer = this.#clock.setTimer((dueUs - this.#clock.nowUs()) / 1000, () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The request for which the timer was set may have gone, and timers may be early. */
  #look(): void {
    const nowUs = this.#clock.nowUs();
    const stuck = Array.from(this.#unreported).filter(({ sinceUs }) => nowUs - sinceUs >= this.#thresholdMs * 1000);
    for (const request of stuck) this.#unreported.delete(request);
    if (stuck.length > 0) this.#silentUntilUs = nowUs + REPORT_INTERVAL_MS * 1000;
    this.#arm();
    if (stuck.length > 0) this.#report(stuck.length, nowUs);
  }

  #report(stuck: number, nowUs: number): void {
    const graph = new WaitForGraph(this.#books);
    const lines = [`${stuck} lock request(s) stuck for more than ${this.#thresholdMs} ms`, ...graph.describe(nowUs)];
    this.#logger.warn(lines.join('\n'), { stuck, deadlocks: graph.deadlocks.length });
  }
}
