import type { PacketFate } from '../../congestion/loss-detection.js';
import type { PacedPacket } from '../../congestion/pacer.js';
import type { ReceiverReport } from '../../congestion/report-based-rate.js';
import type { Clock } from '../../core/clock.js';
import type { TransportFeedback } from '../../rtp/transport-cc.js';
import type { BitrateControl } from '../allocation/bitrate-control.js';
import { CongestionDriver, type CongestionDriverInit, type CongestionStats } from './congestion-driver.js';
import type { NetworkFeedback } from './feedback-router.js';

/** Why a packet will not be sent although it was handed over. */
export type TakenBack =
  /** Its track was stopped. */
  | 'stopped'
  /** Its track was paused. */
  | 'paused'
  /** The connection that it was made for is gone. */
  | 'not-connected'
  /** It has waited for too long. */
  | 'congestion';

/** Is told what the peer reports of a packet that was sent; more than once if that turns out otherwise. */
export type FateListener = (fate: PacketFate) => void;

/** A packet on its way to the socket. */
export interface OutboundPacket extends PacedPacket {
  /**
   * Stamps it with all that belongs to this moment and writes it to the socket.
   * @param transportSequence transport-wide sequence number (0-65535), for an m-line with that extension; none without congestion control
   * @returns who hears of its fate if that number is on the wire, and so used up
   */
  send(nowUs: number, transportSequence?: number): FateListener | undefined;
  /** It will not be sent. */
  takeBack(reason: TakenBack): void;
}

/** What a {@link SendPath} with congestion control is made of. */
export interface PathControl extends Omit<CongestionDriverInit, 'targetChanged'> {
  /** Is told what the network carries. */
  readonly bitrate: Pick<BitrateControl, 'setNetworkTarget' | 'setReceiverLimit' | 'limitBps'>;
}

/**
 * The way of every packet of a sender to the socket: at once, or when the congestion control lets it go. That takes a sender that wants it and a
 * peer that tells what has arrived.
 *
 * Owner: the sender. All calls are synchronous.
 */
export class SendPath implements NetworkFeedback {
  readonly #clock: Clock;
  readonly #bitrate: PathControl['bitrate'] | undefined;
  readonly #driver: CongestionDriver | undefined;

  /** @param control absent where packets never wait */
  constructor(clock: Clock, control?: PathControl) {
    this.#clock = clock;
    if (control === undefined) return;
    const { bitrate } = control;
    this.#bitrate = bitrate;
    this.#driver = new CongestionDriver({ ...control, targetChanged: (target) => bitrate.setNetworkTarget(target) });
  }

  /** Whether packets are to bear transport-wide sequence numbers, if the peer wants to tell what of them arrived. */
  get wantsFeedback(): boolean {
    return this.#driver !== undefined;
  }

  /** Whether a picture whose packets have this priority had better not be encoded now: it would come too late. */
  mustSkipFrames(priority: number): boolean {
    return this.#driver?.mustSkipFrames(priority) === true;
  }

  /** Whether lost packets of this priority had better not be sent again: they would come too late. */
  mustSkipRetransmissions(priority: number): boolean {
    return this.#driver?.mustSkipRetransmissions(priority) === true;
  }

  /** Whether so much is lost that the loss of the repetitions has to be reckoned with; not known, and so not, without congestion control. */
  get isLossy(): boolean {
    return this.#driver?.isLossy === true;
  }

  /** Absent without congestion control, and before the first packet of a connection. */
  get stats(): CongestionStats | undefined {
    return this.#driver?.stats;
  }

  /** Packets that belong together, in order. Without congestion control they are sent before this returns. */
  enqueue(packets: readonly OutboundPacket[]): void {
    if (this.#driver?.isActive === true) this.#driver.enqueue(packets);
    else for (const packet of packets) packet.send(this.#clock.nowUs());
  }

  /** Takes back what waits of a stream. */
  takeBack(ssrc: number, reason: TakenBack): void {
    this.#driver?.takeBack((packet) => packet.ssrc === ssrc, reason);
  }

  /** The peer will tell what of the video has arrived. Idempotent. */
  feedbackAgreed(): void {
    this.#driver?.activate();
  }

  /** The way to the peer has broken, or is another one. */
  rerouted(): void {
    this.#driver?.reroute();
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#driver?.isEmpty !== false;
  }

  /** Another connection to the same server takes the place of this one. What waits goes at once, while streams still have their former routes. */
  handOver(): void {
    this.#driver?.handOver();
  }

  /** The connection is over. */
  disconnected(): void {
    this.#driver?.deactivate();
    this.#bitrate?.setNetworkTarget(undefined);
  }

  /** The sender stops: what waits is given up, no timer runs, and what still comes is sent at once. */
  end(): void {
    this.#driver?.end();
  }

  /** What may be used has changed. */
  limitChanged(): void {
    if (this.#bitrate !== undefined) this.#driver?.setLimit(this.#bitrate.limitBps);
  }

  feedback(message: TransportFeedback): void {
    this.#driver?.feedback(message);
  }

  receiverReport(report: ReceiverReport): void {
    this.#driver?.receiverReport(report);
  }

  /** A receiver that gives no other feedback caps what was asked for. Without congestion control what was asked for is sent. */
  receiverLimit(bps: number): void {
    if (this.#driver?.isActive === true) this.#driver.receiverLimit(bps);
    else this.#bitrate?.setReceiverLimit(bps);
  }
}
