import type { Clock } from '../core/clock.js';

/** A capture time may lie ahead of ours by this much before it is not believed: clocks are read one after the other. */
const MAX_AHEAD_US = 100_000;
/** And behind by this much. */
const MAX_AGE_US = 10_000_000;

/** Clocks of this machine that a capture time can be read from. */
export type MachineClock = 'monotonic' | 'realtime';

/**
 * Brings capture times from the clocks of the machine to the time base of `Clock.nowUs`. One that cannot be, ahead of now or older than 10 s, is
 * not believed, and the time of arrival stands in for it. The results increase strictly.
 *
 * Owner: one source.
 */
export class CaptureTimes {
  readonly #clock: Clock;
  readonly #monotonicUs: () => number;
  #lastUs = 0;
  #disbelieved = 0;

  /** @param monotonicUs reads the machine's CLOCK_MONOTONIC, in microseconds */
  constructor(clock: Clock, monotonicUs: () => number = machineMonotonicUs) {
    this.#clock = clock;
    this.#monotonicUs = monotonicUs;
  }

  /** How many were not believed. */
  get disbelieved(): number {
    return this.#disbelieved;
  }

  /** The capture time of a picture that has just arrived, in whole microseconds on the time base of `Clock.nowUs`. */
  of(captured?: { readonly clock: MachineClock; readonly timeUs: number }): number {
    const nowUs = this.#clock.nowUs();
    const stampUs = captured === undefined ? nowUs : nowUs - this.#ageUs(captured);
    this.#lastUs = Math.max(Math.round(stampUs), this.#lastUs + 1);
    return this.#lastUs;
  }

  #ageUs({ clock, timeUs }: { readonly clock: MachineClock; readonly timeUs: number }): number {
    const ageUs = (clock === 'monotonic' ? this.#monotonicUs() : this.#clock.wallUs()) - timeUs;
    if (ageUs >= -MAX_AHEAD_US && ageUs <= MAX_AGE_US) return Math.max(0, ageUs);
    this.#disbelieved += 1;
    return 0;
  }
}

/** What Node calls high-resolution time is CLOCK_MONOTONIC where there is one (libuv, src/unix/linux.c, uv__hrtime). */
function machineMonotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
