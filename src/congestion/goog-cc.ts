import { AckedRate } from './acked-rate.js';
import { DelayBasedEstimator } from './delay-based-estimator.js';
import { InFlightWindow } from './in-flight-window.js';
import { LossBasedEstimator } from './loss-based-estimator.js';
import type {
  LimitingFactor,
  NetworkController,
  NetworkControllerOptions,
  NetworkDecision,
} from './network-controller.js';
import { ProbeController } from './probe-controller.js';
import { ProbeEstimator } from './probe-estimator.js';
import { QueueDelay } from './queue-delay.js';
import { QueueGuard } from './queue-guard.js';
import { RecentRate } from './recent-rate.js';
import { type ReceiverReport, ReportBasedRate } from './report-based-rate.js';
import { RoundTrip } from './round-trip.js';
import type { FeedbackReport, PacketResult, SentPacket } from './sent-packets.js';

/**
 * The pacer empties its queue a little faster than it fills. libwebrtc's 2.5 makes bursts that queue up at the bottleneck, and 1.25 still does: over 20 seeds of
 * RFC 8867 5.1 packets then wait for 30 ms at the 95th percentile where the link is steady, and with this for 22.
 */
const PACING_FACTOR = 1.1;
/** Each half second without feedback halves the rate. Who sends nothing for that long does not wait for feedback either. */
const SILENCE_STEP_US = 500_000;
/** But two messages of a receiver that seldom sends any may be lost. */
const SILENT_INTERVALS = 3;
/** Who sends nothing for this long begins anew. After less, what went unreported before counts on: who sends in bursts would never notice a silent receiver. */
const PAUSE_US = 2_000_000;
/** A receiver that has given none by then never will, and is asked by its reports. */
const NO_FEEDBACK_AFTER_US = 1_000_000;

/** What limits the rate, and to how much. */
type Limit = readonly [LimitingFactor, number];

type ReceivedPacket = PacketResult & { readonly receivedAtUs: number };

/**
 * Google congestion control with four additions for those who drive by what they see: a guard that drains queues at once, a small window of
 * bytes in flight, gentle pacing, and probes whenever the link is quiet (libwebrtc's goog_cc_network_control.cc; see docs/congestion.md).
 *
 * Owner: its driver, synchronously.
 */
export class GoogCc implements NetworkController {
  readonly #minBps: number;
  readonly #maxBps: number;
  /** What is allowed of that at the moment. */
  #allowedBps: number;
  readonly #acked = new AckedRate();
  readonly #receiveRate = new RecentRate();
  /** Of packets that have been reported, by their times of sending. */
  readonly #sendRate = new RecentRate();
  readonly #queue = new QueueDelay();
  readonly #guard = new QueueGuard();
  readonly #loss = new LossBasedEstimator();
  readonly #probes: ProbeController;
  readonly #probeEstimator = new ProbeEstimator();
  readonly #window = new InFlightWindow();
  readonly #roundTrip = new RoundTrip();
  #delay: DelayBasedEstimator;
  /** Until the first feedback. */
  #reports: ReportBasedRate | undefined;
  /** What goes by receiver reports, since no feedback has come in time. */
  #unreportedBps: number | undefined;
  #lossBps = Number.POSITIVE_INFINITY;
  #queueCapBps = Number.POSITIVE_INFINITY;
  #receiverBps = Number.POSITIVE_INFINITY;
  #encoderShare = 1;
  /** Since when something has been sent without any feedback. */
  #waitingSinceUs: number | undefined;
  #sentAtUs = Number.NEGATIVE_INFINITY;

  constructor({ startBps, minBps, maxBps }: NetworkControllerOptions) {
    this.#minBps = minBps;
    this.#maxBps = maxBps;
    this.#allowedBps = maxBps;
    this.#delay = new DelayBasedEstimator({ startBps, minBps, maxBps });
    this.#reports = new ReportBasedRate({ startBps, minBps, maxBps });
    this.#probes = new ProbeController(maxBps);
  }

  /** What was found out about the network; times in microseconds. */
  get measurements(): { readonly rttUs: number; readonly lossShare: number; readonly queueUs: number } {
    return { rttUs: this.#roundTrip.us, lossShare: this.#loss.averageLoss, queueUs: this.#queue.standingUs };
  }

  /** The most that may be used from now on, probes included; no more than the maximum that it was made with. */
  setMaximum(bps: number): void {
    this.#allowedBps = Math.min(bps, this.#maxBps);
    this.#probes.setMaximum(this.#allowedBps);
  }

  onPacketSent({ sentAtUs, sizeBytes }: SentPacket): void {
    this.#reports?.sent(sizeBytes, sentAtUs);
    const sinceLastUs = sentAtUs - this.#sentAtUs;
    if (sinceLastUs > PAUSE_US) this.#waitingSinceUs = undefined;
    else if (this.#waitingSinceUs !== undefined) this.#waitingSinceUs += Math.max(sinceLastUs - SILENCE_STEP_US, 0);
    this.#waitingSinceUs ??= sentAtUs;
    this.#sentAtUs = sentAtUs;
  }

  onFeedback({ atUs, packets, clockJumped, inFlightBytes }: FeedbackReport): void {
    this.#reports = undefined;
    if (clockJumped) this.#forgetArrivals();
    const received = packets.filter(isReceived).sort((a, b) => a.receivedAtUs - b.receivedAtUs);
    // To hear that nothing arrives is as good as to hear nothing.
    if (received.length > 0) this.#waitingSinceUs = inFlightBytes > 0 ? atUs : undefined;
    this.#measure(received, atUs);
    for (const { sizeBytes, priorUnreportedBytes, sentAtUs } of packets) {
      this.#sendRate.add(sizeBytes + priorUnreportedBytes, sentAtUs);
    }
    const probedBps = this.#probeEstimator.add(received);
    if (probedBps !== undefined) this.#probes.found(probedBps, atUs);
    const ackedBps = this.#acked.bps;
    // What arrived of late tells the capacity better than a whole second does, where the rate has just gone up.
    const capacityBps = ackedBps === undefined ? undefined : Math.max(ackedBps, this.#receiveRate.bps ?? 0);
    this.#delay.update({
      packets: received,
      ackedBps: capacityBps,
      isCompeting: this.#guard.isCompeting,
      lossShare: this.#loss.averageLoss,
      probedBps,
      nowUs: atUs,
    });
    this.#drainQueue(packets.at(-1)?.sentAtUs ?? atUs, atUs);
    const delayBasedBps = this.#delay.targetBps;
    this.#lossBps = this.#loss.update({ packets, delayBasedBps, ackedBps, nowUs: atUs });
    this.#encoderShare = this.#window.share(inFlightBytes, this.#windowBytes(this.#limit(atUs)));
  }

  onReceiverLimit(bps: number | undefined): void {
    this.#receiverBps = bps ?? Number.POSITIVE_INFINITY;
  }

  onReceiverReport(report: ReceiverReport, nowUs: number): void {
    this.#reports?.report(report, nowUs);
  }

  onRouteChanged(startBps: number): void {
    this.#forgetArrivals();
    this.#loss.reset();
    this.#lossBps = Number.POSITIVE_INFINITY;
    this.#receiverBps = Number.POSITIVE_INFINITY;
    this.#probes.reset();
    this.#roundTrip.reset();
    this.#window.reset();
    this.#encoderShare = 1;
    this.#waitingSinceUs = undefined;
    const bounds = { startBps, minBps: this.#minBps, maxBps: this.#maxBps };
    this.#delay = new DelayBasedEstimator(bounds);
    this.#reports = new ReportBasedRate(bounds);
    this.#unreportedBps = undefined;
  }

  onTick(nowUs: number): NetworkDecision {
    const mustDoWithout = this.#unreportedBps !== undefined || this.#silenceUs(nowUs) >= NO_FEEDBACK_AFTER_US;
    if (mustDoWithout) this.#unreportedBps = this.#reports?.bps;
    const limit = this.#limit(nowUs);
    const { bps, sustainedBps, limitedBy } = limit;
    const probes = this.#probes.tick({ targetBps: bps, limitedBy, queueUs: this.#queue.standingUs, nowUs });
    for (const probe of probes) this.#probeEstimator.started(probe);
    return {
      targetBps: Math.max(bps * this.#encoderShare, this.#minBps),
      sustainedBps,
      pacingBps: PACING_FACTOR * bps,
      windowBytes: this.#windowBytes(limit),
      limitedBy,
      probes,
    };
  }

  #measure(received: readonly ReceivedPacket[], nowUs: number): void {
    this.#acked.add(received);
    for (const { sentAtUs, receivedAtUs, sizeBytes, priorUnreportedBytes } of received) {
      this.#receiveRate.add(sizeBytes + priorUnreportedBytes, receivedAtUs);
      this.#queue.add(sentAtUs, receivedAtUs);
    }
    const newest = received.at(-1);
    if (newest === undefined) return;
    this.#roundTrip.add(nowUs - newest.sentAtUs, nowUs);
    this.#delay.rttUs = this.#roundTrip.us;
  }

  #drainQueue(sentUntilUs: number, nowUs: number): void {
    const { capBps, targetBps, isLongerWay } = this.#guard.judge({
      queueUs: this.#queue.standingUs,
      receiveBps: this.#receiveRate.bps,
      sendBps: this.#sendRate.bps,
      sentUntilUs,
      targetBps: this.#delay.targetBps,
      nowUs,
    });
    this.#queueCapBps = capBps;
    if (targetBps !== undefined) this.#delay.set(targetBps, nowUs);
    if (isLongerWay === true) this.#queue.rebase();
  }

  /** Silence halves the rate and not the window: what was sent into it counts as in flight, and would hold up the packet that ends it. */
  #windowBytes({ reportedBps }: { readonly reportedBps: number }): number {
    return this.#window.sizeBytes(reportedBps, this.#roundTrip.loopUs);
  }

  /** The least of all limits, and which it is. */
  #limit(nowUs: number): {
    readonly bps: number;
    /** The same but for silence. */
    readonly reportedBps: number;
    readonly sustainedBps: number;
    readonly limitedBy: LimitingFactor;
  } {
    const unreportedBps = this.#unreportedBps;
    const limits: readonly Limit[] = [
      ['maximum', this.#allowedBps],
      unreportedBps === undefined ? ['delay', this.#delay.targetBps] : ['reports', unreportedBps],
      ['loss', this.#lossBps],
      ['receiver', this.#receiverBps],
    ];
    const sustained = leastOf(limits);
    const sustainedBps = Math.max(sustained[1], this.#minBps);
    const [limitedBy, leastBps] = leastOf([sustained, ['queue', this.#queueCapBps]]);
    const reportedBps = Math.max(leastBps, this.#minBps);
    const stepUs = Math.max(SILENCE_STEP_US, SILENT_INTERVALS * this.#roundTrip.feedbackIntervalUs);
    const silenceSteps = unreportedBps === undefined ? Math.floor(this.#silenceUs(nowUs) / stepUs) : 0;
    if (silenceSteps <= 0) return { bps: reportedBps, reportedBps, sustainedBps, limitedBy };
    const bps = Math.max(leastBps / 2 ** silenceSteps, this.#minBps);
    return { bps, reportedBps, sustainedBps, limitedBy: 'silence' };
  }

  /** For how long feedback has been due; a pause of the sender is not the receiver's silence. */
  #silenceUs(nowUs: number): number {
    if (this.#waitingSinceUs === undefined) return 0;
    return Math.min(nowUs, this.#sentAtUs + SILENCE_STEP_US) - this.#waitingSinceUs;
  }

  /** Everything that compares times of arrival. */
  #forgetArrivals(): void {
    this.#delay.resetDelays();
    this.#acked.reset();
    this.#receiveRate.reset();
    this.#sendRate.reset();
    this.#probeEstimator.reset();
    this.#queue.reset();
    this.#guard.reset();
    this.#queueCapBps = Number.POSITIVE_INFINITY;
  }
}

function isReceived(packet: PacketResult): packet is ReceivedPacket {
  return packet.receivedAtUs !== undefined;
}

/** The first of the least. */
function leastOf(limits: readonly Limit[]): Limit {
  return limits.reduce((least, limit) => (limit[1] < least[1] ? limit : least));
}
