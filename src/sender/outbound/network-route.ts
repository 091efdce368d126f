import { GoogCc } from '../../congestion/goog-cc.js';
import { LossDetection, type PacketFate } from '../../congestion/loss-detection.js';
import type { LimitingFactor, NetworkControllerOptions } from '../../congestion/network-controller.js';
import { SendSide } from '../../congestion/send-side.js';
import type { TransportFeedback } from '../../rtp/transport-cc.js';
import type { FateListener, OutboundPacket } from './send-path.js';

/**
 * An event loop with encoders beside it is late by 10 to 20 ms all the time, and has to get through what it is given (libwebrtc's pacing_controller.cc,
 * `kMaxProcessingInterval`).
 */
const LATE_US = 30_000;
/**
 * On a link that loses no more than this, packets of which nothing was reported have arrived: only the feedback was lost. Where more is lost, what is not
 * repeated is missed, however seldom, for seconds.
 */
const LOSSY_SHARE = 0.02;

/** How a route limits the sender. */
export interface RouteStats {
  /** What may be sent together, in bits per second: media, headers, retransmissions. */
  readonly targetBps: number;
  /** What is left of it for encoders, in bits per second: less what has to be caught up with, and what they make too much. */
  readonly mediaTargetBps: number;
  readonly limitedBy: LimitingFactor;
  /** How long it takes to send what waits in the pacer, in milliseconds. */
  readonly pacerQueueMs: number;
  /** Sent, and not reported by the receiver yet. */
  readonly inFlightBytes: number;
  /** Smoothed, from a packet's sending to the feedback about it, in milliseconds. */
  readonly rttMs: number;
  /** Average share of packets that are lost, 0-1. */
  readonly lossShare: number;
  /** How long packets wait in queues on the way, in milliseconds. */
  readonly queueMs: number;
}

/** What the network carries, for encoders, in bits per second. */
export interface NetworkTarget {
  /** What may be made now: less what has to be caught up with, and what encoders make too much. */
  readonly nowBps: number;
  /** What is there for longer than a moment: who is worth sending is decided by it. At least `nowBps`. */
  readonly sustainedBps: number;
}

/** What a {@link NetworkRoute} begins with; rates in bits per second. */
export interface NetworkRouteInit extends NetworkControllerOptions {
  /** The most that may be used now. */
  readonly limitBps: number;
  /** The most that the receiver allows, if it has said so. */
  readonly receiverBps: number | undefined;
  /** A packet of padding; nothing if no stream can carry it now. */
  readonly padding: () => OutboundPacket | undefined;
}

/**
 * One route through the network, and all that is known of it: its controller, what waits and is in flight, and what was lost.
 *
 * Owner: the driver of the congestion control, which has the timer. All calls are synchronous.
 */
export class NetworkRoute {
  readonly controller: GoogCc;
  readonly send: SendSide<OutboundPacket>;
  readonly #losses = new LossDetection<FateListener>();

  constructor({ limitBps, receiverBps, padding, ...rates }: NetworkRouteInit, nowUs: number) {
    this.controller = new GoogCc(rates);
    this.controller.setMaximum(limitBps);
    this.controller.onReceiverLimit(receiverBps);
    this.send = new SendSide<OutboundPacket>(this.controller, nowUs, { padding, catchUpUs: LATE_US });
  }

  get stats(): RouteStats {
    const { send, controller } = this;
    const { rttUs, lossShare, queueUs } = controller.measurements;
    return {
      targetBps: Math.floor(send.decision.targetBps),
      mediaTargetBps: Math.floor(send.mediaTargetBps),
      limitedBy: send.decision.limitedBy,
      pacerQueueMs: send.pacer.queueUs / 1000,
      inFlightBytes: send.inFlightBytes,
      rttMs: rttUs / 1000,
      lossShare,
      queueMs: queueUs / 1000,
    };
  }

  get target(): NetworkTarget {
    const nowBps = Math.floor(this.send.mediaTargetBps);
    return { nowBps, sustainedBps: Math.max(Math.floor(this.send.decision.sustainedBps), nowBps) };
  }

  /** The target, unless it was set by the network's silence. */
  get knownBps(): number | undefined {
    const { targetBps, limitedBy } = this.send.decision;
    return limitedBy === 'silence' || limitedBy === 'reports' ? undefined : targetBps;
  }

  /** Whether so much is lost that the loss of the repetitions has to be reckoned with. */
  get isLossy(): boolean {
    return this.controller.measurements.lossShare > LOSSY_SHARE;
  }

  /**
   * Writes a packet to the socket.
   * @returns whether its transport-wide sequence number is used up
   */
  write(packet: OutboundPacket, transportSequence: number, nowUs: number, probeId?: number): boolean {
    const listener = packet.send(nowUs, transportSequence);
    if (listener === undefined) return false;
    const { sequence } = this.send.sent(transportSequence, packet.sizeBytes, nowUs, probeId);
    const { kind, ssrc } = packet;
    this.#losses.sent({ sequence, sentAtUs: nowUs, subject: listener, ssrc: kind === 'video' ? ssrc : undefined });
    return true;
  }

  /**
   * Takes in what the receiver has told.
   * @returns tells those who sent the packets, who may send some again
   */
  feedback(message: TransportFeedback, nowUs: number): () => void {
    const report = this.send.feedback(message, nowUs);
    const fates = report === undefined ? [] : this.#losses.reported(report);
    return () => {
      for (const { subject, fate } of fates) if (this.#isCredible(fate)) subject(fate);
    };
  }

  #isCredible(fate: PacketFate): boolean {
    return fate !== 'unreported' || this.isLossy;
  }
}
