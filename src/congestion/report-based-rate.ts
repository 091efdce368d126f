import type { NetworkControllerOptions } from './network-controller.js';
import { RecentRate } from './recent-rate.js';

/** What a camera can be driven by, and nearly every link carries; libwebrtc begins with it (bitrate_constraints.h, `kDefaultStartBitrateBps`). */
const MODEST_BPS = 300_000;
/** From this loss on the rate falls, up to that it grows (send_side_bandwidth_estimation.cc, `kDefaultHighLossThreshold`, `kDefaultLowLossThreshold`; draft-ietf-rmcat-gcc-02 section 6). */
const HIGH_LOSS = 0.1;
const LOW_LOSS = 0.02;
/** In a second (send_side_bandwidth_estimation.cc). */
const GROWTH_PER_SECOND = 1.08;
/** One reduction in a round trip and this (send_side_bandwidth_estimation.cc, `kBweDecreaseInterval`). */
const REDUCTION_INTERVAL_US = 300_000;
const ASSUMED_RTT_US = 200_000;
/** A round trip that is longer than the least by this has a queue in it: as much less is sent as the delay-based control of libwebrtc would. */
const LONG_QUEUE_US = 100_000;
const BACKOFF_FACTOR = 0.85;
/** No further ahead of what is sent, which is all that has been tried. */
const SENT_GROWTH_LIMIT = 1.5;

/** What a receiver report says (RFC 3550 section 6.4.1); of several streams, the worst. */
export interface ReceiverReport {
  /** Of the packets since the report before, 0 to 1. */
  readonly lossShare: number;
  /** Nothing while it is not known. */
  readonly rttUs: number | undefined;
}

/**
 * A rate by receiver reports alone, for a receiver that has agreed to transport-wide feedback and never gives any: modest to begin with, and as long as nothing at all is
 * heard, since no picture would be no help to whoever drives.
 *
 * Owner: the network controller.
 */
export class ReportBasedRate {
  readonly #bounds: NetworkControllerOptions;
  readonly #sent = new RecentRate();
  #bps: number;
  #leastRttUs = Number.POSITIVE_INFINITY;
  #reportedAtUs: number | undefined;
  #reducedAtUs = Number.NEGATIVE_INFINITY;

  constructor(bounds: NetworkControllerOptions) {
    this.#bounds = bounds;
    this.#bps = Math.min(bounds.startBps, MODEST_BPS);
  }

  /** In bits per second, within the bounds. */
  get bps(): number {
    return Math.min(Math.max(this.#bps, this.#bounds.minBps), this.#bounds.maxBps);
  }

  sent(sizeBytes: number, sentAtUs: number): void {
    this.#sent.add(sizeBytes, sentAtUs);
  }

  report({ lossShare, rttUs }: ReceiverReport, nowUs: number): void {
    const elapsedSeconds = Math.min((nowUs - (this.#reportedAtUs ?? nowUs)) / 1_000_000, 1);
    this.#reportedAtUs = nowUs;
    this.#leastRttUs = Math.min(this.#leastRttUs, rttUs ?? Number.POSITIVE_INFINITY);
    const hasQueue = rttUs !== undefined && rttUs - this.#leastRttUs > LONG_QUEUE_US;
    if (lossShare > HIGH_LOSS) this.#reduce(1 - lossShare / 2, rttUs, nowUs);
    else if (hasQueue) this.#reduce(BACKOFF_FACTOR, rttUs, nowUs);
    else if (lossShare <= LOW_LOSS) this.#grow(elapsedSeconds);
  }

  #reduce(factor: number, rttUs: number | undefined, nowUs: number): void {
    if (nowUs - this.#reducedAtUs < REDUCTION_INTERVAL_US + (rttUs ?? ASSUMED_RTT_US)) return;
    this.#reducedAtUs = nowUs;
    this.#bps = Math.max(this.#bps * factor, this.#bounds.minBps);
  }

  #grow(elapsedSeconds: number): void {
    const limitBps = Math.min(SENT_GROWTH_LIMIT * (this.#sent.bps ?? 0), this.#bounds.maxBps);
    const grownBps = this.#bps * GROWTH_PER_SECOND ** elapsedSeconds;
    this.#bps = Math.max(this.#bps, Math.min(grownBps, limitBps));
  }
}
