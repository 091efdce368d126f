import type { ProbeCluster } from './probe-estimator.js';
import type { ReceiverReport } from './report-based-rate.js';
import type { FeedbackReport, SentPacket } from './sent-packets.js';

/** What keeps the target where it is. */
export type LimitingFactor =
  /** The rate that was configured as the largest. */
  | 'maximum'
  /** The trend of delays: the link has no more room, or it is not known yet whether it has. */
  | 'delay'
  /** A queue on the way, which is being drained. */
  | 'queue'
  /** Lost packets. */
  | 'loss'
  /** The receiver's own estimate (REMB). */
  | 'receiver'
  /** Feedback has ceased. */
  | 'silence'
  /** Feedback has never come: receiver reports are all that is known. */
  | 'reports';

/** What the controller decides; all rates in bits per second. */
export interface NetworkDecision {
  /** For everything that is sent together: media, retransmissions, headers. */
  readonly targetBps: number;
  /** The same when queues are drained and feedback is back, at least `targetBps`: what a decision for longer than a moment goes by. */
  readonly sustainedBps: number;
  /** How fast the pacer may empty its queue. */
  readonly pacingBps: number;
  /** While so many bytes or more are in flight, the pacer holds back everything but sound and probes. */
  readonly windowBytes: number;
  readonly limitedBy: LimitingFactor;
  /** To be sent from now on, one after another; each is told once. */
  readonly probes: readonly ProbeCluster[];
}

/** Bounds and start of a {@link NetworkController}, in bits per second. */
export interface NetworkControllerOptions {
  readonly startBps: number;
  readonly minBps: number;
  readonly maxBps: number;
}

/**
 * Decides how much may be sent. Synchronous, without a clock or a timer of its own: its driver tells it what happens, and asks for its
 * decision after each feedback and every {@link TICK_US}.
 */
export interface NetworkController {
  /** A packet was handed to the socket. */
  onPacketSent(packet: SentPacket): void;
  onFeedback(report: FeedbackReport): void;
  /** The receiver allows no more than this (REMB); `undefined`: it does not say any more. */
  onReceiverLimit(bps: number | undefined): void;
  /** A receiver report came; it counts where there is no feedback. */
  onReceiverReport(report: ReceiverReport, nowUs: number): void;
  /** Another route: everything known of the former one is void. */
  onRouteChanged(startBps: number, nowUs: number): void;
  onTick(nowUs: number): NetworkDecision;
}

/** How often a driver calls `onTick`. */
export const TICK_US = 25_000;
