import type { Clock, Timer } from '../../core/clock.js';
import type { RawVideoFrame } from '../../encoder/video-frame.js';
import { FrozenDetector } from './frozen-detector.js';
import type { SupervisionPolicy } from './supervision-policy.js';

/** A pause shorter than this is none: schedulers and networks are late by that much. */
const SHORTEST_STALL_MS = 1000;
/** A timer that is late by so much tells of this process, which was held up, and not of the source. */
const HELD_UP_MS = 500;
/** What may have piled up meanwhile gets so long to come in. */
const CATCH_UP_MS = 100;

/** Hears what is wrong with the pictures of a source. Must not throw. */
export interface PictureObserver {
  live(): void;
  stalled(reason: string): void;
  frozen(reason: string): void;
  /** It has been stalled or frozen for too long. Called once at the most. */
  patienceLost(reason: string): void;
}

/**
 * Watches over the pictures of an open source: whether they come, and whether they change.
 *
 * Owner: the session of the source, which ends it. One timer at the most.
 */
export class PictureWatch {
  readonly #clock: Clock;
  readonly #policy: SupervisionPolicy;
  readonly #observer: PictureObserver;
  readonly #stallUs: number;
  readonly #detector = new FrozenDetector();
  readonly #openedUs: number;
  #state: 'live' | 'stalled' | 'frozen' = 'live';
  #reason = '';
  #sinceUs: number;
  #lastPictureUs: number;
  #lastChangeUs: number;
  #timer: Timer | undefined;
  #ended = false;

  /** @param framerate nominal, in frames per second */
  constructor(framerate: number, policy: SupervisionPolicy, clock: Clock, observer: PictureObserver) {
    this.#clock = clock;
    this.#policy = policy;
    this.#observer = observer;
    this.#stallUs = Math.max(SHORTEST_STALL_MS * 1000, (policy.stalledAfterIntervals / framerate) * 1e6);
    this.#openedUs = clock.nowUs();
    this.#sinceUs = this.#openedUs;
    this.#lastPictureUs = this.#openedUs;
    this.#lastChangeUs = this.#openedUs;
    this.#arm();
  }

  /** For how long all was well: up to the last picture, or up to the last that was new. */
  get wellForMs(): number {
    const lastUs = this.#policy.frozenAfterMs > 0 ? this.#lastChangeUs : this.#lastPictureUs;
    return (lastUs - this.#openedUs) / 1000;
  }

  /** A picture has come; looked at before it is handed on. */
  picture(frame: RawVideoFrame): void {
    const nowUs = this.#clock.nowUs();
    const { frozenAfterMs } = this.#policy;
    const wasStalled = this.#state === 'stalled';
    this.#lastPictureUs = nowUs;
    if (frozenAfterMs > 0 && !this.#detector.isSame(frame)) this.#lastChangeUs = nowUs;
    const sameForMs = (nowUs - this.#lastChangeUs) / 1000;
    if (frozenAfterMs > 0 && sameForMs >= frozenAfterMs) {
      this.#become('frozen', `its pictures have been the same for ${(sameForMs / 1000).toFixed(1)} s`, nowUs);
    } else {
      this.#become('live', '', nowUs);
    }
    // Until now it was set for the end of the patience, if at all.
    if (wasStalled) this.#arm();
  }

  /** Idempotent. From the call on the observer hears nothing. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #become(state: 'live' | 'stalled' | 'frozen', reason: string, nowUs: number): void {
    if (state !== this.#state) {
      this.#state = state;
      this.#reason = reason;
      this.#sinceUs = nowUs;
      if (state === 'live') this.#observer.live();
      else this.#observer[state](reason);
    }
    const { patienceMs } = this.#policy;
    if (this.#ended || state === 'live' || patienceMs === 0 || nowUs - this.#sinceUs < patienceMs * 1000) return;
    this.end();
    this.#observer.patienceLost(this.#reason);
  }

  /** Sets the timer for when the source is stalled if nothing comes, or for the end of the patience with it. */
  #arm(): void {
    this.#timer?.cancel();
    const { stalledAfterIntervals, patienceMs } = this.#policy;
    if (this.#ended || stalledAfterIntervals === 0) return;
    const isStalled = this.#state === 'stalled';
    if (isStalled && patienceMs === 0) return;
    const dueUs = isStalled ? this.#sinceUs + patienceMs * 1000 : this.#lastPictureUs + this.#stallUs;
    this.#setTimer(Math.max(1, Math.ceil((dueUs - this.#clock.nowUs()) / 1000)));
  }

  #setTimer(delayMs: number): void {
    const dueUs = this.#clock.nowUs() + delayMs * 1000;
    this.#timer = this.#clock.setTimer(delayMs, () => {
      if (this.#clock.nowUs() - dueUs > HELD_UP_MS * 1000) this.#setTimer(CATCH_UP_MS);
      else this.#look();
    });
  }

  #look(): void {
    const nowUs = this.#clock.nowUs();
    const silentUs = nowUs - this.#lastPictureUs;
    if (silentUs >= this.#stallUs) this.#become('stalled', `no picture for ${(silentUs / 1e6).toFixed(1)} s`, nowUs);
    this.#arm();
  }
}
