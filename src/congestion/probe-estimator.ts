import type { PacketResult } from './sent-packets.js';

/** The constants of probe_bitrate_estimator.cc, under the names that they have there. */
const MIN_RECEIVED_PROBES_RATIO = 0.8;
const MIN_RECEIVED_BYTES_RATIO = 0.8;
const MAX_VALID_RATIO = 2;
const MIN_RATIO_FOR_UNSATURATED_LINK = 0.9;
const TARGET_UTILIZATION_FRACTION = 0.95;
const MAX_CLUSTER_HISTORY_US = 1_000_000;
const MAX_PROBE_INTERVAL_US = 1_000_000;
/** What was sent within this was sent at once. */
const BURST_US = 1_000;
/** Probes that can be under way at once; of those before, nothing will be heard (bitrate_prober.cc, `kMaxPendingProbeClusters`). */
const MAX_PENDING_PROBE_CLUSTERS = 5;

/** A burst of packets that tries a rate. */
export interface ProbeCluster {
  readonly id: number;
  readonly targetBps: number;
  readonly minPackets: number;
  readonly minBytes: number;
}

interface Received {
  readonly cluster: ProbeCluster;
  packets: number;
  bytes: number;
  firstSentAtUs: number;
  lastSentAtUs: number;
  lastSentBytes: number;
  firstReceivedAtUs: number;
  lastReceivedAtUs: number;
  lastBurst: Burst;
}

/** Packets that were sent at once, by a timer that was late. */
interface Burst {
  readonly sentAtUs: number;
  readonly firstReceivedAtUs: number;
  readonly firstBytes: number;
  lastReceivedAtUs: number;
  bytes: number;
}

type ReceivedPacket = PacketResult & { readonly receivedAtUs: number };

/**
 * Tells from the packets of a probe what the link can carry (libwebrtc's probe_bitrate_estimator.cc).
 *
 * Owner: the network controller.
 */
export class ProbeEstimator {
  /** The newest last. */
  readonly #clusters = new Map<number, ProbeCluster>();
  readonly #received = new Map<number, Received>();

  started(cluster: ProbeCluster): void {
    this.#clusters.set(cluster.id, cluster);
    for (const id of this.#clusters.keys()) {
      if (this.#clusters.size <= MAX_PENDING_PROBE_CLUSTERS) break;
      this.#remove(id);
    }
  }

  /** Takes packets that have arrived; the rate that the newest complete probe among them found, in bits per second. */
  add(packets: readonly ReceivedPacket[]): number | undefined {
    let foundBps: number | undefined;
    for (const packet of packets) foundBps = this.#add(packet) ?? foundBps;
    return foundBps;
  }

  reset(): void {
    this.#clusters.clear();
    this.#received.clear();
  }

  #add(packet: ReceivedPacket): number | undefined {
    const { probeId, sentAtUs, receivedAtUs, sizeBytes } = packet;
    const cluster = probeId === undefined ? undefined : this.#clusters.get(probeId);
    if (cluster === undefined) return undefined;
    this.#forget(receivedAtUs);
    let received = this.#received.get(cluster.id);
    if (received === undefined) {
      received = {
        cluster,
        packets: 0,
        bytes: 0,
        firstSentAtUs: sentAtUs,
        lastSentAtUs: sentAtUs,
        lastSentBytes: sizeBytes,
        firstReceivedAtUs: receivedAtUs,
        lastReceivedAtUs: receivedAtUs,
        lastBurst: burstOf(packet),
      };
      this.#received.set(cluster.id, received);
    } else addToBurst(received, packet);
    received.packets += 1;
    received.bytes += sizeBytes;
    received.firstSentAtUs = Math.min(received.firstSentAtUs, sentAtUs);
    if (sentAtUs >= received.lastSentAtUs) {
      received.lastSentAtUs = sentAtUs;
      received.lastSentBytes = sizeBytes;
    }
    received.firstReceivedAtUs = Math.min(received.firstReceivedAtUs, receivedAtUs);
    received.lastReceivedAtUs = Math.max(received.lastReceivedAtUs, receivedAtUs);
    return rateOf(received);
  }

  #forget(receivedAtUs: number): void {
    for (const [id, received] of this.#received) {
      if (receivedAtUs - received.lastReceivedAtUs <= MAX_CLUSTER_HISTORY_US) continue;
      this.#remove(id);
    }
  }

  #remove(id: number): void {
    this.#received.delete(id);
    this.#clusters.delete(id);
  }
}

function burstOf({ sentAtUs, receivedAtUs, sizeBytes }: ReceivedPacket): Burst {
  return {
    sentAtUs,
    firstReceivedAtUs: receivedAtUs,
    firstBytes: sizeBytes,
    lastReceivedAtUs: receivedAtUs,
    bytes: sizeBytes,
  };
}

function addToBurst(received: Received, packet: ReceivedPacket): void {
  const { lastBurst } = received;
  const sinceUs = packet.sentAtUs - lastBurst.sentAtUs;
  if (sinceUs > BURST_US) received.lastBurst = burstOf(packet);
  // An overtaken one is of no burst that matters.
  if (sinceUs < 0 || sinceUs > BURST_US) return;
  lastBurst.lastReceivedAtUs = Math.max(lastBurst.lastReceivedAtUs, packet.receivedAtUs);
  lastBurst.bytes += packet.sizeBytes;
}

function rateOf(received: Received): number | undefined {
  const { cluster, packets, bytes, lastBurst } = received;
  if (packets < cluster.minPackets * MIN_RECEIVED_PROBES_RATIO) return undefined;
  if (bytes < cluster.minBytes * MIN_RECEIVED_BYTES_RATIO) return undefined;
  const sentUs = received.lastSentAtUs - received.firstSentAtUs;
  const receivedUs = received.lastReceivedAtUs - received.firstReceivedAtUs;
  if (!isValidInterval(sentUs) || !isValidInterval(receivedUs)) return undefined;
  const sendBps = ((bytes - received.lastSentBytes) * 8_000_000) / sentUs;
  const receiveBps = Math.min(paceOf(received), spreadOf(lastBurst));
  // Packets that arrive much faster than they were sent were held up somewhere and say nothing.
  if (receiveBps > MAX_VALID_RATIO * sendBps) return undefined;
  // A link that is full is not aimed at to the brim.
  if (receiveBps < MIN_RATIO_FOR_UNSATURATED_LINK * sendBps) return TARGET_UTILIZATION_FRACTION * receiveBps;
  return Math.min(sendBps, receiveBps);
}

/** How fast the probe came up to its last burst: how long that took itself says how fast the link is, and not how late the timer was. */
function paceOf({ bytes, lastSentBytes, firstReceivedAtUs, lastBurst }: Received): number {
  const receivedUs = lastBurst.firstReceivedAtUs - firstReceivedAtUs;
  return receivedUs <= 0 ? Number.POSITIVE_INFINITY : ((bytes - lastSentBytes) * 8_000_000) / receivedUs;
}

/** What the link made of packets that were sent at once: no more than it can carry. */
function spreadOf({ bytes, firstBytes, firstReceivedAtUs, lastReceivedAtUs }: Burst): number {
  const spreadUs = lastReceivedAtUs - firstReceivedAtUs;
  return spreadUs <= 0 ? Number.POSITIVE_INFINITY : ((bytes - firstBytes) * 8_000_000) / spreadUs;
}

function isValidInterval(us: number): boolean {
  return us > 0 && us <= MAX_PROBE_INTERVAL_US;
}
