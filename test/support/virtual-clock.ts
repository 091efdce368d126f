import type { Clock, Timer } from '../../src/core/clock.js';

interface PendingTimer {
  readonly dueUs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until told to advance; timers run in due order, ties in order of creation. */
export class VirtualClock implements Clock {
  #nowUs: number;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(startUs = 1_700_000_000_000_000) {
    this.#nowUs = startUs;
  }

  /** Timers that have neither run nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  wallUs(): number {
    return this.#nowUs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#order += 1;
    const timer: PendingTimer = { dueUs: this.#nowUs + Math.max(0, delayMs) * 1000, order: this.#order, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /**
   * Moves time forward, running every timer that falls due.
   * @param afterEach lets what is ready run after each of them, and at the end
   */
  async advance(ms: number, afterEach: () => Promise<void> = settle): Promise<void> {
    const targetUs = this.#nowUs + ms * 1000;
    for (let next = this.#nextDue(targetUs); next !== undefined; next = this.#nextDue(targetUs)) {
      this.#timers.delete(next);
      this.#nowUs = Math.max(this.#nowUs, next.dueUs);
      next.callback();
      await afterEach();
    }
    this.#nowUs = targetUs;
    await afterEach();
  }

  #nextDue(limitUs: number): PendingTimer | undefined {
    let best: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueUs > limitUs) continue;
      if (best === undefined || timer.dueUs < best.dueUs || (timer.dueUs === best.dueUs && timer.order < best.order)) {
        best = timer;
      }
    }
    return best;
  }
}

/** A clock that breaks the promise of its timers: they run even though they were cancelled. */
export class LateTimersClock extends VirtualClock {
  override setTimer(delayMs: number, callback: () => void): Timer {
    super.setTimer(delayMs, callback);
    return { cancel: () => undefined };
  }
}

/** Turns of the event loop that work may take which hands on from one `setImmediate` to the next. */
const SETTLE_TURNS = 4;

/** Lets everything run that is ready, including what becomes ready meanwhile. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
