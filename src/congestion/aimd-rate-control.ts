import { LinkCapacity } from './link-capacity.js';
import type { BandwidthUsage } from './trendline-estimator.js';

/** What follows are the constants of aimd_rate_control.cc, but for the first: there 0.85, which has to drain the queue as well; here a guard does that. */
const BACKOFF_FACTOR = 0.92;
const DEFAULT_RTT_US = 200_000;
/** Delay until an increase shows, besides the round trip. */
const RESPONSE_TIME_US = 100_000;
const GROWTH_PER_SECOND = 1.08;
/** For each second; there for each feedback, however many come. */
const LEAST_STEP_BPS = 1_000;
const LEAST_ADDITIVE_BPS_PER_SECOND = 4_000;
/** The rate may not run ahead of what arrives by more than this. */
const ACKED_GROWTH_LIMIT = 1.5;
const ACKED_GROWTH_OFFSET_BPS = 10_000;
const ASSUMED_FRAMERATE = 30;
const PACKET_BITS = 1200 * 8;
const MIN_REDUCTION_INTERVAL_US = 10_000;
const MAX_REDUCTION_INTERVAL_US = 200_000;
/** What arrives is this much less than the target: reduce again at once. */
const COLLAPSE_SHARE = 0.5;

/** What {@link AimdRateControl} is told each time. */
export interface AimdInput {
  readonly usage: BandwidthUsage;
  /** What arrives, in bits per second; nothing while it is not known. */
  readonly ackedBps: number | undefined;
  readonly nowUs: number;
}

type State = 'hold' | 'increase';

/**
 * Raises the rate while the delay does not grow and lowers it to a share of what arrives when it does: additively near the capacity, by a
 * factor away from it (libwebrtc's aimd_rate_control.cc).
 *
 * Owner: the delay-based estimator.
 */
export class AimdRateControl {
  readonly #capacity = new LinkCapacity();
  readonly #minBps: number;
  readonly #maxBps: number;
  #targetBps: number;
  #state: State = 'hold';
  #rttUs = DEFAULT_RTT_US;
  #changedAtUs: number | undefined;

  constructor({
    startBps,
    minBps,
    maxBps,
  }: { readonly startBps: number; readonly minBps: number; readonly maxBps: number }) {
    this.#minBps = minBps;
    this.#maxBps = maxBps;
    this.#targetBps = startBps;
  }

  get targetBps(): number {
    return this.#targetBps;
  }

  set rttUs(rttUs: number) {
    this.#rttUs = rttUs;
  }

  /** Whether it is time for another reduction: after a round trip, or at once if far less arrives than is aimed at. */
  mayReduce(ackedBps: number, nowUs: number): boolean {
    const intervalUs = Math.min(Math.max(this.#rttUs, MIN_REDUCTION_INTERVAL_US), MAX_REDUCTION_INTERVAL_US);
    if (nowUs - (this.#changedAtUs ?? Number.NEGATIVE_INFINITY) >= intervalUs) return true;
    return ackedBps < COLLAPSE_SHARE * this.#targetBps;
  }

  update({ usage, ackedBps, nowUs }: AimdInput): void {
    if (usage === 'overusing') this.#decrease(ackedBps ?? this.#targetBps, nowUs);
    else if (usage === 'underusing') this.#state = 'hold';
    else this.#increase(ackedBps, nowUs);
  }

  /** Takes over a rate that was found otherwise. */
  set(targetBps: number, nowUs: number): void {
    this.#targetBps = this.#bounded(targetBps);
    this.#changedAtUs = nowUs;
  }

  /** Grows by a factor again. */
  forgetCapacity(): void {
    this.#capacity.reset();
  }

  /** A probe has found so much room. */
  probed(probedBps: number, nowUs: number): void {
    this.#capacity.probed(probedBps);
    this.set(probedBps, nowUs);
  }

  #increase(ackedBps: number | undefined, nowUs: number): void {
    if (this.#state === 'hold') {
      this.#state = 'increase';
      this.#changedAtUs = nowUs;
    }
    if (ackedBps !== undefined && ackedBps > this.#capacity.upperBoundBps) this.#capacity.reset();
    const limitBps = ackedBps === undefined ? this.#maxBps : ACKED_GROWTH_LIMIT * ackedBps + ACKED_GROWTH_OFFSET_BPS;
    const elapsedSeconds = Math.min((nowUs - (this.#changedAtUs ?? nowUs)) / 1_000_000, 1);
    if (this.#targetBps < limitBps) {
      const stepBps =
        this.#capacity.estimateBps === undefined
          ? Math.max(this.#targetBps * (GROWTH_PER_SECOND ** elapsedSeconds - 1), LEAST_STEP_BPS * elapsedSeconds)
          : this.#additiveBpsPerSecond * elapsedSeconds;
      this.#targetBps = this.#bounded(Math.min(this.#targetBps + stepBps, limitBps));
    }
    this.#changedAtUs = nowUs;
  }

  #decrease(ackedBps: number, nowUs: number): void {
    let reducedBps = BACKOFF_FACTOR * ackedBps;
    // More arrives than is aimed at, as after a probe: the capacity found earlier says more.
    if (reducedBps > this.#targetBps) reducedBps = BACKOFF_FACTOR * (this.#capacity.estimateBps ?? this.#targetBps);
    this.#targetBps = this.#bounded(Math.min(reducedBps, this.#targetBps));
    if (ackedBps < this.#capacity.lowerBoundBps) this.#capacity.reset();
    this.#capacity.overused(ackedBps);
    this.#state = 'hold';
    this.#changedAtUs = nowUs;
  }

  /** One packet more in a response time. */
  get #additiveBpsPerSecond(): number {
    const frameBits = this.#targetBps / ASSUMED_FRAMERATE;
    const packetBits = frameBits / Math.ceil(frameBits / PACKET_BITS);
    const responseSeconds = ((this.#rttUs + RESPONSE_TIME_US) * 2) / 1_000_000;
    return Math.max(packetBits / responseSeconds, LEAST_ADDITIVE_BPS_PER_SECOND);
  }

  #bounded(bps: number): number {
    return Math.min(Math.max(bps, this.#minBps), this.#maxBps);
  }
}
