import type { ReceiverReport } from '../../congestion/report-based-rate.js';
import type { Clock, Timer } from '../../core/clock.js';
import { nextSequence } from '../../core/sequence.js';
import type { TransportFeedback } from '../../rtp/transport-cc.js';
import { NetworkRoute, type NetworkTarget, type RouteStats } from './network-route.js';
import type { OutboundPacket, TakenBack } from './send-path.js';

/** Less than this no camera can use (`MIN_VIDEO_BITRATE_BPS` of track-controls.ts). */
const MIN_TARGET_BPS = 30_000;
/** The simulations that the controller is held against end here (docs/congestion.md). */
const LARGEST_TARGET_BPS = 20_000_000;

/** How the network limits the sender. */
export interface CongestionStats extends RouteStats {
  /** Bursts that tried out a higher rate, since the sender was made. */
  readonly probes: number;
  /** Transport-wide feedback messages, since the sender was made. */
  readonly feedbacks: number;
}

/** What a {@link CongestionDriver} is made of. */
export interface CongestionDriverInit {
  /** Its timers never ring once the sender has ended. */
  readonly clock: Clock;
  /** What to begin with, in bits per second, where the network is not known. */
  readonly startBps: number;
  /** No target is larger, in bits per second; nor is any larger than 20 Mbit/s. */
  readonly maxBps: number;
  /** A packet of padding; nothing if no stream can carry it now. */
  readonly padding: () => OutboundPacket | undefined;
  /** Told of new targets for encoders; of nothing when the network does not say any more. */
  readonly targetChanged: (target: NetworkTarget | undefined) => void;
}

/**
 * Drives the congestion control of a sender: it has the only timer, sends what the pacer lets go, numbers it, hands on the receiver's feedback, and
 * tells encoders what they may use. A timer that is late causes no burst: the pacer bounds what is caught up with.
 *
 * Nothing is known of a route, and no timer runs, before its first packet.
 *
 * Owner: the sender. All calls are synchronous.
 */
export class CongestionDriver {
  readonly #init: CongestionDriverInit;
  readonly #maxBps: number;
  #limitBps: number;
  #isActive = false;
  #hasEnded = false;
  #route: NetworkRoute | undefined;
  /** The last target that the network, rather than its silence, has set. */
  #knownBps: number | undefined;
  #told: NetworkTarget | undefined;
  #receiverBps: number | undefined;
  /** What the route before this one has carried, of a connection whose place another one took. */
  #carriedBps: number | undefined;
  /** Runs on over all connections: a receiver begins anywhere. */
  #sequence = 0;
  #timer: Timer | undefined;
  #probes = 0;
  #feedbacks = 0;
  #lastProbeId: number | undefined;

  constructor(init: CongestionDriverInit) {
    this.#init = init;
    this.#maxBps = Math.min(init.maxBps, LARGEST_TARGET_BPS);
    this.#limitBps = this.#maxBps;
  }

  /** Whether packets go its way. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** Whether a picture whose packets have this priority had better not be encoded now: it would come too late. */
  mustSkipFrames(priority: number): boolean {
    return this.#route?.send.mustSkipFrames(priority) === true;
  }

  /** Whether lost packets of this priority had better not be sent again: they would come too late. */
  mustSkipRetransmissions(priority: number): boolean {
    return this.#route?.send.mustSkipRetransmissions(priority) === true;
  }

  /** Whether so much is lost that the loss of the repetitions has to be reckoned with. */
  get isLossy(): boolean {
    return this.#route?.isLossy === true;
  }

  /** Absent before the first packet of a connection. */
  get stats(): CongestionStats | undefined {
    if (this.#route === undefined) return undefined;
    return { ...this.#route.stats, probes: this.#probes, feedbacks: this.#feedbacks };
  }

  /** There is a peer that gives feedback: packets go this way from now on. Idempotent; nothing happens after `end`. */
  activate(): void {
    if (this.#isActive || this.#hasEnded) return;
    this.#isActive = true;
    this.#tell({ nowBps: this.#startBps, sustainedBps: this.#startBps });
  }

  /** The way to the peer is another one, or broken: what waits is lost, and what was known of the network is void. */
  reroute(): void {
    this.#forgetRoute('not-connected');
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return (this.#route?.send.pacer.queueBytes ?? 0) === 0;
  }

  /**
   * Another connection to the same server takes this one's place: what waits goes at once, and the next route begins with the rate of this one, as libwebrtc does
   * when a route changes (goog_cc_network_control.cc, `safe_reset_on_route_change_`). Arrival times by another clock are not to be compared, nor a new peer's losses.
   */
  handOver(): void {
    const route = this.#route;
    if (route === undefined) return;
    for (const packet of route.send.pacer.remove(() => true)) this.#write(route, packet);
    // A packet that was refused may have ended the route.
    if (this.#route !== route) return;
    this.#receiverBps = undefined;
    this.#forgetRoute('not-connected');
    this.#carriedBps = this.#knownBps;
  }

  /** There is no such peer any more. Idempotent. */
  deactivate(): void {
    this.#deactivate('not-connected');
  }

  /** The sender stops: what waits is given up, no timer runs, and what still comes is sent at once. */
  end(): void {
    this.#hasEnded = true;
    this.#deactivate('stopped');
  }

  /** The most that may be used from now on, in bits per second, probes included. */
  setLimit(bps: number): void {
    this.#limitBps = Math.max(Math.min(bps, this.#maxBps), MIN_TARGET_BPS);
    this.#route?.controller.setMaximum(this.#limitBps);
  }

  /** Packets that belong together, in order; those that may go now go before this returns. */
  enqueue(packets: readonly OutboundPacket[]): void {
    const nowUs = this.#init.clock.nowUs();
    this.#route ??= this.#beginRoute(nowUs);
    const { send } = this.#route;
    for (const packet of packets) send.enqueue(packet, nowUs);
    this.#proceed(this.#route);
  }

  /** Takes back the packets that wait and match. */
  takeBack(matches: (packet: OutboundPacket) => boolean, reason: TakenBack): void {
    for (const packet of this.#route?.send.pacer.remove(matches) ?? []) packet.takeBack(reason);
  }

  /** The receiver has told what arrived. */
  feedback(message: TransportFeedback): void {
    this.#feedbacks += 1;
    const route = this.#route;
    if (route === undefined) return;
    const tellFates = route.feedback(message, this.#init.clock.nowUs());
    // Encoders first: to send what is due takes milliseconds.
    this.#publish(route);
    // What was lost goes before what is new.
    tellFates();
    // Something that was sent again and refused may have ended the route.
    if (this.#route === route) this.#proceed(route);
  }

  /** What the receiver says of losses and the round trip, which counts where it gives no other feedback. */
  receiverReport(report: ReceiverReport): void {
    const route = this.#route;
    if (route === undefined) return;
    route.send.receiverReport(report, this.#init.clock.nowUs());
    this.#proceed(route);
  }

  /** The receiver allows no more than this, in bits per second (REMB). */
  receiverLimit(bps: number): void {
    this.#receiverBps = Math.max(bps, MIN_TARGET_BPS);
    this.#route?.controller.onReceiverLimit(this.#receiverBps);
  }

  /** A rate that was too low or too high on the last route must not be the start on the next one. */
  get #startBps(): number {
    const { startBps } = this.#init;
    const freshBps = Math.min(this.#knownBps ?? startBps, startBps);
    return Math.max(Math.min(this.#carriedBps ?? freshBps, this.#limitBps), MIN_TARGET_BPS);
  }

  #beginRoute(nowUs: number): NetworkRoute {
    return new NetworkRoute(
      {
        startBps: this.#startBps,
        minBps: MIN_TARGET_BPS,
        maxBps: this.#maxBps,
        limitBps: this.#limitBps,
        receiverBps: this.#receiverBps,
        padding: this.#init.padding,
      },
      nowUs,
    );
  }

  #deactivate(reason: TakenBack): void {
    this.#isActive = false;
    this.#receiverBps = undefined;
    this.#forgetRoute(reason);
    this.#tell(undefined);
  }

  #forgetRoute(reason: TakenBack): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.takeBack(() => true, reason);
    this.#route = undefined;
    this.#carriedBps = undefined;
    this.#lastProbeId = undefined;
  }

  /** Does what is due, and sets the timer for what comes next. */
  #proceed(route: NetworkRoute): void {
    const { clock } = this.#init;
    const nowUs = clock.nowUs();
    if (route.send.nextWakeUs(nowUs) <= nowUs) this.#send(route, nowUs);
    this.#dropStale(route, nowUs);
    // A packet that was refused may have ended the route.
    if (this.#route !== route) return;
    this.#publish(route);
    this.#timer?.cancel();
    const waitUs = Math.max(route.send.nextWakeUs(nowUs) - nowUs, 0);
    // A timer that rings too early would find nothing due.
    this.#timer = clock.setTimer(Math.max(Math.ceil(waitUs / 1000), 1), () => this.#proceed(route));
  }

  #publish(route: NetworkRoute): void {
    this.#knownBps = route.knownBps ?? this.#knownBps;
    this.#tell(route.target);
  }

  #dropStale({ send }: NetworkRoute, nowUs: number): void {
    for (const packet of send.takeStale(nowUs)) packet.takeBack('congestion');
  }

  #send(route: NetworkRoute, nowUs: number): void {
    for (const departure of route.send.wake(nowUs)) {
      const { probeId } = departure;
      if (probeId !== undefined && probeId !== this.#lastProbeId) this.#probes += 1;
      this.#lastProbeId = probeId ?? this.#lastProbeId;
      // Padding that no stream could carry.
      if (!('packet' in departure)) continue;
      this.#write(route, departure.packet, probeId);
    }
  }

  #write(route: NetworkRoute, packet: OutboundPacket, probeId?: number): void {
    if (!route.write(packet, this.#sequence, this.#init.clock.nowUs(), probeId)) return;
    this.#sequence = nextSequence(this.#sequence);
  }

  #tell(target: NetworkTarget | undefined): void {
    const told = this.#told;
    if (target?.nowBps === told?.nowBps && target?.sustainedBps === told?.sustainedBps) return;
    this.#told = target;
    this.#init.targetChanged(target);
  }
}
