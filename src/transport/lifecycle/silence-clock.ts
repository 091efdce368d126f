import type { Clock, Timer } from '../../core/clock.js';

/** What a {@link SilenceClock} works with. */
export interface SilenceClockInit {
  readonly clock: Clock;
  /** Whether the time since the last check counts. @default it does */
  readonly counts?: () => boolean;
  /** Told of every check, after the silence was measured. */
  readonly checked: (silenceUs: number) => void;
}

/** How often silence is looked at. */
export const SILENCE_CHECK_MS = 250;
/** A check that comes later than this was held up by us, and what the peer sent meanwhile may still wait to be read. */
const LONGEST_STEP_US = 2 * SILENCE_CHECK_MS * 1000;

/**
 * For how long nothing came from the peer. Time in which this process did not run does not count as silence of the peer.
 *
 * Owner of its state: whoever judges the silence.
 */
export class SilenceClock {
  readonly #init: SilenceClockInit;
  #timer: Timer | undefined;
  #checkedUs = 0;
  #silenceUs = 0;

  constructor(init: SilenceClockInit) {
    this.#init = init;
  }

  /** Since something was heard, in microseconds, as of the last check. */
  get silenceUs(): number {
    return this.#silenceUs;
  }

  /** From here on time counts. Idempotent. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#checkedUs = this.#init.clock.nowUs();
    this.#schedule();
  }

  /** Something came that only the peer can have sent. */
  heard(): void {
    this.#checkedUs = this.#init.clock.nowUs();
    this.#silenceUs = 0;
  }

  /** Idempotent; nothing is told afterwards. */
  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#init.clock.setTimer(SILENCE_CHECK_MS, () => {
      // First: whoever is told may stop it.
      this.#schedule();
      this.#check();
    });
  }

  #check(): void {
    const nowUs = this.#init.clock.nowUs();
    if (this.#init.counts?.() !== false) {
      this.#silenceUs += Math.min(Math.max(nowUs - this.#checkedUs, 0), LONGEST_STEP_US);
    }
    this.#checkedUs = nowUs;
    this.#init.checked(this.#silenceUs);
  }
}
