import type { ProbeCluster } from './probe-estimator.js';

/** What is sent first when several wait: sound before everything, what was lost before what is new, padding where nothing else is left. */
export type PacketKind = 'audio' | 'retransmission' | 'video';

/** A packet that waits to be sent. */
export interface PacedPacket {
  readonly kind: PacketKind;
  /** The stream that it belongs to, or whose packet it repeats. What is missing from the middle of one makes the rest of it undecodable. */
  readonly ssrc: number;
  /** Among packets of the same kind: lower goes first. The same for all packets of a stream that wait at a time, so that none overtakes another. */
  readonly priority: number;
  /** On the wire. */
  readonly sizeBytes: number;
  /** Whether it belongs to a frame that can be decoded without any earlier one. @default false */
  readonly isKeyFrame?: boolean;
  /** Whether it belongs to a frame that no other frame depends on. @default false */
  readonly isDiscardable?: boolean;
}

/** Something to be sent now. */
export type Departure<Packet> =
  | { readonly packet: Packet; readonly probeId?: number }
  /** Anything that the receiver can do without: retransmissions of what it has, or padding. */
  | { readonly paddingBytes: number; readonly probeId: number };

/** What the pacer is allowed. */
export interface PacerLimits {
  readonly pacingBps: number;
  /** Video and retransmissions wait while this many bytes or more are in flight. */
  readonly windowBytes: number;
}

/** A driver's timer may be this late, and what was missed is caught up with; more would be a burst. libwebrtc sends up to 40 ms at once (`kDefaultBurstInterval`). */
const CATCH_UP_US = 5_000;
/** Of padding for a probe that the caller makes. */
const PADDING_BYTES = 1_200;

/** What a driver knows better than a {@link Pacer}. */
export interface PacerOptions<Packet> {
  /** Makes a packet of padding, to be sent at once; nothing if there is none now. @default none: the caller of `depart` makes it */
  readonly padding?: () => Packet | undefined;
  /** How late its timers may be while packets wait, in microseconds, without anything being lost by it; a pause is not caught up with. @default 5000 */
  readonly catchUpUs?: number;
}

/** A probe that has not been sent within this is not worth it any more (bitrate_prober.cc, `kProbeClusterTimeout`). */
const PROBE_TIMEOUT_US = 5_000_000;

interface RunningProbe {
  readonly cluster: ProbeCluster;
  readonly queuedAtUs: number;
  packets: number;
  bytes: number;
  freeAtUs: number;
}

interface Waiting<Packet> {
  readonly packet: Packet;
  /** Since it was handed over, or since the key frame before it has left. */
  sinceUs: number;
}

/**
 * Spreads packets in time, so that frames do not arrive at the bottleneck in one burst (libwebrtc's pacing_controller.cc): a packet may go when the
 * line would be free of the ones before it at the pacing rate. Probes go at their own rate, and are filled up with padding.
 *
 * Owner: its driver, which calls `depart` when `nextDepartureUs` has come.
 */
export class Pacer<Packet extends PacedPacket> {
  /** In the order of departure; of the same kind and priority, first come, first served. */
  #queue: Waiting<Packet>[] = [];
  #queueBytes = 0;
  readonly #padding: () => Packet | undefined;
  readonly #catchUpUs: number;
  #limits: PacerLimits;
  /** When the line is free at the pacing rate. */
  #freeAtUs = 0;
  readonly #probes: RunningProbe[] = [];

  constructor(limits: PacerLimits, options: PacerOptions<Packet> = {}) {
    const { padding = () => undefined, catchUpUs = CATCH_UP_US } = options;
    this.#limits = limits;
    this.#padding = padding;
    this.#catchUpUs = catchUpUs;
  }

  /** What waits, in bytes. */
  get queueBytes(): number {
    return this.#queueBytes;
  }

  /** How long it takes to send what waits, in microseconds. */
  get queueUs(): number {
    return this.#timeUs(this.#queueBytes);
  }

  /** How long it takes to send what would go before a new packet of this kind and priority, in microseconds. */
  queueUsBefore(next: Precedence): number {
    let bytes = 0;
    for (const { packet } of this.#queue) {
      if (isBefore(next, packet)) break;
      bytes += packet.sizeBytes;
    }
    return this.#timeUs(bytes);
  }

  /**
   * The streams of which video that other video depends on waits since before `sinceUs`; a key frame, and what waits behind it, since before `keySinceUs`.
   */
  staleStreams(sinceUs: number, keySinceUs: number): ReadonlySet<number> {
    const stale = new Set<number>();
    const withKeyFrame = new Set<number>();
    for (const { packet, sinceUs: waitsSinceUs } of this.#queue) {
      if (packet.kind !== 'video' || packet.isDiscardable === true) continue;
      if (packet.isKeyFrame === true) withKeyFrame.add(packet.ssrc);
      if (waitsSinceUs < (withKeyFrame.has(packet.ssrc) ? keySinceUs : sinceUs)) stale.add(packet.ssrc);
    }
    return stale;
  }

  setLimits(limits: PacerLimits): void {
    this.#limits = limits;
  }

  enqueue(packet: Packet, nowUs: number): void {
    if (this.#queue.length === 0) this.#skipPause(nowUs);
    let at = this.#queue.length;
    while (at > 0 && isBefore(packet, this.#queue[at - 1]?.packet)) at -= 1;
    this.#queue.splice(at, 0, { packet, sinceUs: nowUs });
    this.#queueBytes += packet.sizeBytes;
  }

  /** Takes back what waits and matches; in order. */
  remove(matches: (packet: Packet, sinceUs: number) => boolean): readonly Packet[] {
    const removed = this.#queue.filter(({ packet, sinceUs }) => matches(packet, sinceUs));
    // Asked for with every packet, and hardly ever anything.
    if (removed.length === 0) return [];
    const gone = new Set(removed);
    this.#queue = this.#queue.filter((waiting) => !gone.has(waiting));
    for (const { packet } of removed) this.#queueBytes -= packet.sizeBytes;
    return removed.map(({ packet }) => packet);
  }

  probe(cluster: ProbeCluster, nowUs: number): void {
    this.#probes.push({ cluster, queuedAtUs: nowUs, packets: 0, bytes: 0, freeAtUs: nowUs });
  }

  /** When `depart` is to be called next; nothing while there is nothing to send. */
  nextDepartureUs(nowUs: number): number | undefined {
    const [probe] = this.#probes;
    if (probe !== undefined) return Math.max(probe.freeAtUs, nowUs);
    const [next] = this.#queue;
    if (next === undefined) return undefined;
    return next.packet.kind === 'audio' ? nowUs : Math.max(this.#freeAtUs, nowUs);
  }

  /** What goes now, in order. The caller sends each at once. */
  depart(nowUs: number, inFlightBytes: number): readonly Departure<Packet>[] {
    this.#freeAtUs = Math.max(this.#freeAtUs, nowUs - this.#catchUpUs);
    const probe = this.#nextProbe(nowUs);
    return probe === undefined ? this.#departPaced(nowUs, inFlightBytes) : this.#departProbe(probe, nowUs);
  }

  #departPaced(nowUs: number, inFlightBytes: number): readonly Departure<Packet>[] {
    const departures: Departure<Packet>[] = [];
    let inFlight = inFlightBytes;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const { packet } = next;
      const mustWait = this.#freeAtUs > nowUs || inFlight >= this.#limits.windowBytes;
      // Sound is little and late sound is useless.
      if (mustWait && packet.kind !== 'audio') break;
      this.#take(nowUs);
      this.#charge(packet.sizeBytes);
      inFlight += packet.sizeBytes;
      departures.push({ packet });
    }
    // What a full window holds up is not caught up with.
    if (this.#queue.length > 0 && this.#freeAtUs <= nowUs) this.#skipPause(nowUs);
    return departures;
  }

  #departProbe(probe: RunningProbe, nowUs: number): readonly Departure<Packet>[] {
    const departures: Departure<Packet>[] = [];
    const { id, targetBps, minPackets, minBytes } = probe.cluster;
    // All that is due goes, beyond the least bytes as well: the rate of the probe is what was sent over the time that it took, however late timers are.
    while (probe.freeAtUs <= nowUs) {
      const packet = this.#take(nowUs) ?? this.#padding();
      const sizeBytes = packet?.sizeBytes ?? PADDING_BYTES;
      departures.push(packet === undefined ? { paddingBytes: sizeBytes, probeId: id } : { packet, probeId: id });
      probe.packets += 1;
      probe.bytes += sizeBytes;
      probe.freeAtUs += (sizeBytes * 8_000_000) / targetBps;
      this.#charge(sizeBytes);
    }
    if (probe.packets >= minPackets && probe.bytes >= minBytes) this.#probes.shift();
    return departures;
  }

  /** Nothing could be sent until now: that is not to be caught up with. */
  #skipPause(nowUs: number): void {
    this.#freeAtUs = Math.max(this.#freeAtUs, nowUs - CATCH_UP_US);
  }

  #nextProbe(nowUs: number): RunningProbe | undefined {
    for (let [probe] = this.#probes; probe !== undefined; [probe] = this.#probes) {
      if (nowUs - probe.queuedAtUs <= PROBE_TIMEOUT_US) {
        // Its first packet goes now, whenever it was asked for.
        if (probe.packets === 0) probe.freeAtUs = nowUs;
        return probe;
      }
      this.#probes.shift();
    }
    return undefined;
  }

  #take(nowUs: number): Packet | undefined {
    const packet = this.#queue.shift()?.packet;
    if (packet === undefined) return undefined;
    this.#queueBytes -= packet.sizeBytes;
    if (packet.isKeyFrame === true) {
      // A key frame takes its time; what follows it must not be thrown away for that.
      for (const waiting of this.#queue) if (waiting.packet.ssrc === packet.ssrc) waiting.sinceUs = nowUs;
    }
    return packet;
  }

  #charge(sizeBytes: number): void {
    this.#freeAtUs += this.#timeUs(sizeBytes);
  }

  #timeUs(sizeBytes: number): number {
    return (sizeBytes * 8_000_000) / this.#limits.pacingBps;
  }
}

const RANK: Readonly<Record<PacketKind, number>> = { audio: 0, retransmission: 1, video: 2 };

/** What decides which of two packets goes first. */
type Precedence = Pick<PacedPacket, 'kind' | 'priority'>;

function isBefore(packet: Precedence, other: Precedence | undefined): boolean {
  if (other === undefined) return false;
  if (packet.kind !== other.kind) return RANK[packet.kind] < RANK[other.kind];
  return packet.priority < other.priority;
}
