import { AimdRateControl } from './aimd-rate-control.js';
import { ArrivalGroups } from './arrival-groups.js';
import type { PacketResult } from './sent-packets.js';
import { type BandwidthUsage, TrendlineEstimator } from './trendline-estimator.js';

/** Losses beside TCP: more than it makes itself, and more than a little (draft-ietf-rmcat-gcc-02 section 6 has 10 and 2 %; a full queue alone costs 2 to 4). */
const MUCH_LOSS = 0.1;
const SOME_LOSS = 0.05;

/** What {@link DelayBasedEstimator} starts from, in bits per second. */
export interface RateBounds {
  readonly startBps: number;
  readonly minBps: number;
  readonly maxBps: number;
}

/** What {@link DelayBasedEstimator} is told with each feedback. */
export interface DelayInput {
  /** That have arrived, by arrival. */
  readonly packets: readonly (PacketResult & { readonly receivedAtUs: number })[];
  /** Nothing while it is not known. */
  readonly ackedBps: number | undefined;
  /** Whether others keep a queue up: then delay says nothing of this flow, and giving way would be giving up; losses tell instead. */
  readonly isCompeting: boolean;
  /** Of late, 0 to 1. */
  readonly lossShare: number;
  /** What a probe has found with this feedback. */
  readonly probedBps: number | undefined;
  readonly nowUs: number;
}

/**
 * Follows the capacity of the link by the trend of delays (libwebrtc's delay_based_bwe.cc).
 *
 * Owner: the network controller.
 */
export class DelayBasedEstimator {
  readonly #groups = new ArrivalGroups();
  readonly #aimd: AimdRateControl;
  #trendline = new TrendlineEstimator();

  constructor(bounds: RateBounds) {
    this.#aimd = new AimdRateControl(bounds);
  }

  get targetBps(): number {
    return this.#aimd.targetBps;
  }

  get usage(): BandwidthUsage {
    return this.#trendline.usage;
  }

  set rttUs(rttUs: number) {
    this.#aimd.rttUs = rttUs;
  }

  update({ packets, ackedBps, isCompeting, lossShare, probedBps, nowUs }: DelayInput): void {
    for (const packet of packets) {
      const delta = this.#groups.add(packet, nowUs);
      if (delta !== undefined) this.#trendline.update(delta, packet.receivedAtUs);
    }
    if (isCompeting) this.#aimd.forgetCapacity();
    const usage = isCompeting ? usageByLoss(lossShare) : this.usage;
    if (usage === 'overusing') {
      if (ackedBps === undefined) this.#reduceBlindly(nowUs);
      else if (this.#aimd.mayReduce(ackedBps, nowUs)) this.#aimd.update({ usage, ackedBps, nowUs });
      return;
    }
    // A probe never lowers the rate: it may have met a burst of somebody else.
    if (probedBps !== undefined && probedBps > this.targetBps) this.#aimd.probed(probedBps, nowUs);
    else this.#aimd.update({ usage, ackedBps, nowUs });
  }

  /** Takes over a rate that was found otherwise. */
  set(targetBps: number, nowUs: number): void {
    this.#aimd.set(targetBps, nowUs);
  }

  /** The route or the receiver's clock has changed: delays before and after cannot be compared. */
  resetDelays(): void {
    this.#groups.reset();
    this.#trendline = new TrendlineEstimator();
  }

  /** Nothing is known of what arrives, at the start: half of it, once in a round trip. */
  #reduceBlindly(nowUs: number): void {
    if (this.#aimd.mayReduce(this.targetBps, nowUs)) this.#aimd.set(this.targetBps / 2, nowUs);
  }
}

function usageByLoss(lossShare: number): BandwidthUsage {
  if (lossShare > MUCH_LOSS) return 'overusing';
  return lossShare > SOME_LOSS ? 'underusing' : 'normal';
}
