import type { TransportFeedback } from '../rtp/transport-cc.js';
import { type NetworkController, type NetworkDecision, TICK_US } from './network-controller.js';
import { OvershootMeter } from './overshoot-meter.js';
import { type Departure, type PacedPacket, Pacer, type PacerOptions } from './pacer.js';
import type { ReceiverReport } from './report-based-rate.js';
import { type FeedbackReport, type SentPacket, SentPackets } from './sent-packets.js';

/** From this queue in the pacer on the encoders get less, by what it would take to send it within half a second. */
const SOFT_QUEUE_US = 100_000;
const SOFT_QUEUE_DRAIN_US = 500_000;
/** From this one on no frame is encoded. */
const SKIP_QUEUE_US = 150_000;
/** Nor while so many times the window are in flight: the next would wait for feedback, and be out of date by then. */
const WINDOW_MUCH_TOO_FULL = 1.5;
/** What has waited for longer is thrown away: whoever drives had better see what comes next. */
const HARD_QUEUE_US = 250_000;
/** But for a key frame, of which nothing leaves for this long: without it nothing can be seen. */
const KEY_FRAME_QUEUE_US = 2_000_000;
/** Feedback that has not come by then was lost, or its packet was: neither is in flight (pacing_controller.cc, `kCongestedPacketInterval`, has the same end). */
const LANDED_AFTER_US = 500_000;
/**
 * After an attempt at which nothing could go, the next one. Packets that became due meanwhile go together, as they do on libwebrtc's timer: trying again at
 * once, for each packet or feedback, was measured to be less fair to flows that came later or have longer round trips.
 */
const RETRY_US = 5_000;

/**
 * Everything between packets and the socket that decides when one goes: what was sent, what is allowed, what waits. Synchronous and without a
 * clock; the driver owns the timer and the socket.
 *
 * Owner: its driver.
 */
export class SendSide<Packet extends PacedPacket> {
  readonly #controller: NetworkController;
  readonly #sent = new SentPackets();
  readonly #pacer: Pacer<Packet>;
  readonly #overshoot = new OvershootMeter();
  #decision: NetworkDecision;
  #tickAtUs: number;
  #blockedUntilUs = Number.NEGATIVE_INFINITY;

  constructor(controller: NetworkController, nowUs: number, pacing: PacerOptions<Packet> = {}) {
    this.#controller = controller;
    this.#decision = controller.onTick(nowUs);
    this.#tickAtUs = nowUs + TICK_US;
    this.#pacer = new Pacer(this.#decision, pacing);
    for (const probe of this.#decision.probes) this.#pacer.probe(probe, nowUs);
  }

  get decision(): NetworkDecision {
    return this.#decision;
  }

  /** What media may take now, in bits per second: the target, less what has to be caught up with. */
  get mediaTargetBps(): number {
    const { queueUs } = this.#pacer;
    const targetBps = this.#decision.targetBps / this.#overshoot.ratio;
    if (queueUs <= SOFT_QUEUE_US) return targetBps;
    return targetBps * Math.max(1 - queueUs / SOFT_QUEUE_DRAIN_US, 0.1);
  }

  /** Whether a frame whose packets have this priority had better not be encoded now: it would come too late. */
  mustSkipFrames(priority: number): boolean {
    const isFull = this.#sent.inFlightBytes > WINDOW_MUCH_TOO_FULL * this.#decision.windowBytes;
    return isFull || this.#pacer.queueUsBefore({ kind: 'video', priority }) > SKIP_QUEUE_US;
  }

  /** Whether lost packets of this priority had better not be sent again: they would come late, and hold up what is new. A key frame makes them good. */
  mustSkipRetransmissions(priority: number): boolean {
    return this.#pacer.queueUsBefore({ kind: 'retransmission', priority }) > SOFT_QUEUE_US;
  }

  /** Bytes that were sent and not reported yet. */
  get inFlightBytes(): number {
    return this.#sent.inFlightBytes;
  }

  get pacer(): Pacer<Packet> {
    return this.#pacer;
  }

  enqueue(packet: Packet, nowUs: number): void {
    // Headers and what is sent again are among what encoders make too much: nobody else accounts for them, and the pacer lets both go before what is new.
    this.#overshoot.made(packet.sizeBytes);
    this.#pacer.enqueue(packet, nowUs);
    // Sound waits for nothing.
    if (packet.kind === 'audio') this.#blockedUntilUs = nowUs;
  }

  /**
   * Takes back all video of the streams of which some has waited too long, and what of them is to be sent again. Alone go frames that none depends on, and whatever
   * was to be sent again for too long: who still wants it asks again.
   */
  takeStale(nowUs: number): readonly Packet[] {
    const oldestUs = nowUs - HARD_QUEUE_US;
    const streams = this.#pacer.staleStreams(oldestUs, nowUs - KEY_FRAME_QUEUE_US);
    return this.#pacer.remove(({ kind, ssrc, isDiscardable = false }, sinceUs) => {
      if (kind === 'audio') return false;
      return streams.has(ssrc) || ((kind === 'retransmission' || isDiscardable) && sinceUs < oldestUs);
    });
  }

  /** When `wake` is to be called next. */
  nextWakeUs(nowUs: number): number {
    const departureUs = this.#pacer.nextDepartureUs(nowUs) ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#tickAtUs, Math.max(departureUs, this.#blockedUntilUs));
  }

  /** Does what is due; the caller sends what is returned at once, and tells of each by `sent`. */
  wake(nowUs: number): readonly Departure<Packet>[] {
    if (nowUs >= this.#tickAtUs) this.#decide(nowUs);
    const departures = this.#pacer.depart(nowUs, this.#sent.inFlightBytes);
    this.#blockedUntilUs = departures.length === 0 ? nowUs + RETRY_US : nowUs;
    return departures;
  }

  /** A packet was handed to the socket; returns how it is known in feedback reports. */
  sent(sequenceNumber: number, sizeBytes: number, nowUs: number, probeId?: number): SentPacket {
    const packet = this.#sent.sent(sequenceNumber, sizeBytes, nowUs, probeId);
    this.#controller.onPacketSent(packet);
    return packet;
  }

  /** Returns what the message taught, if anything. */
  feedback(message: TransportFeedback, nowUs: number): FeedbackReport | undefined {
    const report = this.#sent.feedback(message, nowUs);
    if (report === undefined) return undefined;
    this.#controller.onFeedback(report);
    this.#decide(nowUs);
    return report;
  }

  /** A receiver report came: it counts while no feedback has come. */
  receiverReport(report: ReceiverReport, nowUs: number): void {
    this.#controller.onReceiverReport(report, nowUs);
  }

  /** Another route: nothing of the former one counts any more, and nothing that is in flight there will be reported. */
  routeChanged(startBps: number, nowUs: number): void {
    this.#sent.reset();
    this.#controller.onRouteChanged(startBps, nowUs);
    this.#blockedUntilUs = nowUs;
    this.#decide(nowUs);
  }

  #decide(nowUs: number): void {
    this.#tickAtUs = nowUs + TICK_US;
    this.#overshoot.asked(this.mediaTargetBps, nowUs);
    this.#sent.landBefore(nowUs - LANDED_AFTER_US);
    this.#decision = this.#controller.onTick(nowUs);
    this.#pacer.setLimits(this.#decision);
    for (const probe of this.#decision.probes) this.#pacer.probe(probe, nowUs);
  }
}
