import type { Clock, Timer } from '../../core/clock.js';

/** What a {@link ReportLiveness} works with. */
export interface ReportLivenessInit {
  readonly clock: Clock;
  /** The peer fell silent, or was heard again. */
  readonly changed: (reason?: string) => void;
}

/** How often silence is looked at. */
const CHECK_MS = 250;
/** A check that comes later than this was held up by us, and what the peer sent meanwhile may still wait to be read. */
const LONGEST_STEP_US = 2 * CHECK_MS * 1000;
/** The least silence that counts of a peer whose pauses are known. Longer than any blackout of 2 s can make it. */
const SILENCE_FLOOR_US = 4_000_000;
/** Silence is longer than this many of the longest pauses between the last reports: the intervals of RTCP are random, up to 3 : 1 (RFC 3550 section 6.3.1). */
const PAUSES = 3;
const PAUSES_KEPT = 8;
/** Of a peer who has reported less often than this, the rules for RTCP are all that is known: up to 6.2 s between two reports (RFC 3550 section 6.3.1), of which one may be lost. */
const PAUSES_NEEDED = 3;
const SILENCE_UNKNOWN_US = 15_000_000;

/**
 * Whether the peer is there, told by its RTCP alone: connectivity checks are the library's affair, which tells of nothing before consent to send has expired
 * (RFC 7675, 30 s). A peer that gets media reports about it; one that has reported, and then does not for some seconds in which media was sent, is silent.
 * One that has never sent RTCP cannot be judged, nor can anybody while no media flows.
 *
 * Owner of its state: the transport.
 */
export class ReportLiveness {
  readonly #init: ReportLivenessInit;
  readonly #pausesUs: number[] = [];
  #timer: Timer | undefined;
  #checkedUs = 0;
  /** Since the last report, without the time in which no media was sent. */
  #silenceUs = 0;
  #hasSent = false;
  #isHeard = false;
  #isSilent = false;

  constructor(init: ReportLivenessInit) {
    this.#init = init;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** From here on time counts. Idempotent. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#checkedUs = this.#init.clock.nowUs();
    this.#schedule();
  }

  /** A packet of media went out. */
  sent(): void {
    this.#hasSent = true;
  }

  /** RTCP came that only the peer can have sent. */
  heard(): void {
    if (this.#isHeard) this.#pausesUs.push(this.#silenceUs);
    if (this.#pausesUs.length > PAUSES_KEPT) this.#pausesUs.shift();
    this.#isHeard = true;
    this.#silenceUs = 0;
    this.#checkedUs = this.#init.clock.nowUs();
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#init.changed();
  }

  /** Idempotent; nothing is told afterwards. */
  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#init.clock.setTimer(CHECK_MS, () => {
      this.#check();
      this.#schedule();
    });
  }

  #check(): void {
    const nowUs = this.#init.clock.nowUs();
    if (this.#hasSent) this.#silenceUs += Math.min(Math.max(nowUs - this.#checkedUs, 0), LONGEST_STEP_US);
    this.#hasSent = false;
    this.#checkedUs = nowUs;
    if (!this.#isHeard || this.#isSilent || this.#silenceUs < this.#limitUs()) return;
    this.#isSilent = true;
    this.#init.changed(`no RTCP came from the peer for ${Math.round(this.#silenceUs / 100_000) / 10} s of media`);
  }

  #limitUs(): number {
    if (this.#pausesUs.length < PAUSES_NEEDED) return SILENCE_UNKNOWN_US;
    return Math.max(SILENCE_FLOOR_US, PAUSES * Math.max(...this.#pausesUs));
  }
}
