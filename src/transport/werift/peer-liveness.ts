import type { Clock } from '../../core/clock.js';
import { SILENCE_CHECK_MS, SilenceClock } from '../lifecycle/silence-clock.js';

/** What a {@link PeerLiveness} works with. */
export interface PeerLivenessInit {
  readonly clock: Clock;
  /** Asks the peer for a sign of life; its answer is told by `heard`. Must not throw. */
  readonly probe: () => void;
  /** The peer has not answered the first question, which may mean anything. Told once a silence; the signal is aborted when it is heard again. */
  readonly doubted: (heard: AbortSignal) => void;
  /** The peer fell silent, or was heard again. */
  readonly changed: (reason?: string) => void;
}

/** From this silence on the peer is asked. One that gives transport-wide feedback never is, one that only reports is about once a second (RFC 3550 section 6.2). */
const PROBE_AFTER_US = 750_000;
/** Questions are this far apart; about libwebrtc's pace on a pair that is not known to work (`WEAK_PING_INTERVAL`, 480 ms). */
const PROBE_INTERVAL_US = 500_000;
/** Six unanswered questions. Longer than any blackout of 2 s can make it, whenever that begins. */
const SILENCE_LIMIT_US = 4_000_000;
/** From here on the first question is unanswered, unless the way to the peer and back takes longer than a check. */
const DOUBT_AFTER_US = PROBE_AFTER_US + SILENCE_CHECK_MS * 1000;

/**
 * Whether the peer is there. Consent (RFC 7675) goes on for 30 s without an answer, and its checks are 4-6 s apart: far too slow for somebody who
 * drives by the picture. So as soon as nothing authenticated has come for a second, the pair in use is checked as in RFC 8445 section 7.2.4, twice
 * a second, and a peer that answers none of these for some seconds is silent. Consent still decides when sending has to end. Before that, whoever can
 * ask elsewhere whether the peer is there is told that there is doubt.
 *
 * Owner of its state: the transport.
 */
export class PeerLiveness {
  readonly #init: PeerLivenessInit;
  readonly #silence: SilenceClock;
  #probedAtSilenceUs = 0;
  #isSilent = false;
  #doubt: AbortController | undefined;

  constructor(init: PeerLivenessInit) {
    this.#init = init;
    this.#silence = new SilenceClock({ clock: init.clock, checked: (silenceUs) => this.#judge(silenceUs) });
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** From here on the peer is expected to be heard. Idempotent. */
  start(): void {
    this.#silence.start();
  }

  /** Something came that only the peer can have sent. */
  heard(): void {
    this.#silence.heard();
    this.#probedAtSilenceUs = 0;
    this.#doubt?.abort();
    this.#doubt = undefined;
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#init.changed();
  }

  /** Idempotent; nothing is asked or told afterwards. */
  stop(): void {
    this.#silence.stop();
    this.#doubt?.abort();
  }

  #judge(silenceUs: number): void {
    if (silenceUs < PROBE_AFTER_US) return;
    if (this.#probedAtSilenceUs === 0 || silenceUs - this.#probedAtSilenceUs >= PROBE_INTERVAL_US) {
      this.#probedAtSilenceUs = silenceUs;
      this.#init.probe();
    }
    if (this.#doubt === undefined && silenceUs >= DOUBT_AFTER_US) {
      this.#doubt = new AbortController();
      this.#init.doubted(this.#doubt.signal);
    }
    if (this.#isSilent || silenceUs < SILENCE_LIMIT_US) return;
    this.#isSilent = true;
    this.#init.changed(`nothing came from the peer for ${SILENCE_LIMIT_US / 1_000_000} s`);
  }
}
