import type { Clock } from '../../core/clock.js';
import { SilenceClock } from '../lifecycle/silence-clock.js';

/** What a {@link ReportLiveness} works with. */
export interface ReportLivenessInit {
  readonly clock: Clock;
  /** The peer fell silent, or was heard again. */
  readonly changed: (reason?: string) => void;
}

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
  /** Without the time in which no media was sent. */
  readonly #silence: SilenceClock;
  #hasSent = false;
  #isHeard = false;
  #isSilent = false;

  constructor(init: ReportLivenessInit) {
    this.#init = init;
    this.#silence = new SilenceClock({
      clock: init.clock,
      counts: () => this.#hasSent,
      checked: (silenceUs) => this.#judge(silenceUs),
    });
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** From here on time counts. Idempotent. */
  start(): void {
    this.#silence.start();
  }

  /** A packet of media went out. */
  sent(): void {
    this.#hasSent = true;
  }

  /** RTCP came that only the peer can have sent. */
  heard(): void {
    if (this.#isHeard) this.#pausesUs.push(this.#silence.silenceUs);
    if (this.#pausesUs.length > PAUSES_KEPT) this.#pausesUs.shift();
    this.#isHeard = true;
    this.#silence.heard();
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#init.changed();
  }

  /** Idempotent; nothing is told afterwards. */
  stop(): void {
    this.#silence.stop();
  }

  #judge(silenceUs: number): void {
    this.#hasSent = false;
    if (!this.#isHeard || this.#isSilent || silenceUs < this.#limitUs()) return;
    this.#isSilent = true;
    this.#init.changed(`no RTCP came from the peer for ${Math.round(silenceUs / 100_000) / 10} s of media`);
  }

  #limitUs(): number {
    if (this.#pausesUs.length < PAUSES_NEEDED) return SILENCE_UNKNOWN_US;
    return Math.max(SILENCE_FLOOR_US, PAUSES * Math.max(...this.#pausesUs));
  }
}
