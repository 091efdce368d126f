/** A pending timer; `cancel()` is idempotent and guarantees that the callback does not run afterwards. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as an input. Everything that needs the time or a timer gets one of these, so that tests run in virtual time.
 */
export interface Clock {
  /**
   * Microseconds since the Unix epoch as of process start, strictly driven by the monotonic clock from there on: it never
   * steps back or jumps when the wall clock is adjusted. Capture times are on this time base.
   */
  nowUs(): number;
  /** Wall-clock microseconds since the Unix epoch. May jump; for NTP timestamps and logs only. */
  wallUs(): number;
  /** Calls `callback` once, after at least `delayMs` milliseconds. Keeps the process alive until then: cancel what is no longer needed. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** The machine's clock. */
export class SystemClock implements Clock {
  nowUs(): number {
    return Math.round((performance.timeOrigin + performance.now()) * 1000);
  }

  wallUs(): number {
    return Date.now() * 1000;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  }
}
