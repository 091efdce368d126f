import { sequenceDistance } from '../core/sequence.js';
import { REFERENCE_TICK_US, REFERENCE_TICKS, type TransportFeedback } from '../rtp/transport-cc.js';

/** A packet that was handed to the socket. */
export interface SentPacket {
  /** Transport-wide sequence number, counted on without wrapping. */
  readonly sequence: number;
  readonly sentAtUs: number;
  /** Of the packet on the wire, RTP header and padding included. */
  readonly sizeBytes: number;
  /** The probe that it belongs to. */
  readonly probeId?: number;
}

/** What became of a packet. */
export interface PacketResult extends SentPacket {
  /** On the receiver's clock, whose zero means nothing; absent if it has not arrived. */
  readonly receivedAtUs?: number;
  /** Bytes that were sent shortly before it and of which nothing was ever said, since the feedback about them was lost. */
  readonly priorUnreportedBytes: number;
  /** An earlier feedback had it as lost. */
  readonly wasReportedLost: boolean;
}

/** What one feedback message taught. */
export interface FeedbackReport {
  /** When the message arrived. */
  readonly atUs: number;
  /** News only, in sequence order: what arrived, and what is reported missing for the first time. */
  readonly packets: readonly PacketResult[];
  /** The receiver's clock has jumped: arrival times before and after this message cannot be compared. */
  readonly clockJumped: boolean;
  /** Bytes that were sent and not reported yet. */
  readonly inFlightBytes: number;
}

/** Packets are remembered for this long; libwebrtc's `kSendTimeHistoryWindow` (transport_feedback_adapter.cc). */
const REMEMBERED_US = 60_000_000;
/** And no more than this many: 8 s of full packets at 20 Mbit/s, and half of what wrapped sequence numbers can tell apart. */
const MAX_REMEMBERED = 16_384;
/** A receive clock that goes on by this much more or less than ours has been set anew. No message tells of that much time at once. */
const CLOCK_JUMP_US = 10_000_000;

interface Entry {
  readonly packet: SentPacket;
  lost: boolean;
}

/**
 * Remembers what was sent and joins it with what the receiver says of it (libwebrtc's transport_feedback_adapter.cc).
 *
 * Garbage costs nothing: feedback about packets that were never sent, or too long ago, teaches nothing, and memory is bounded by time and count.
 *
 * Owner: the network controller's driver. Time comes in as an argument.
 */
export class SentPackets {
  /** In the order of sending, which is that of the sequence numbers. */
  readonly #entries = new Map<number, Entry>();
  /** Those of which nothing has been heard yet, in the same order. */
  readonly #inFlight = new Set<Entry>();
  #last: number | undefined;
  #highestReported = Number.NEGATIVE_INFINITY;
  #inFlightBytes = 0;
  /** Unwrapped receive clock of the newest message, and when that arrived. */
  #reference: { readonly ticks: number; readonly atUs: number } | undefined;

  /** Bytes that were sent and not reported yet. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /**
   * A packet is handed to the socket.
   * @param sequenceNumber transport-wide, 0-65535, in the order of sending
   */
  sent(sequenceNumber: number, sizeBytes: number, nowUs: number, probeId?: number): SentPacket {
    const last = this.#last ?? sequenceNumber - 1;
    const sequence = last + sequenceDistance(last & 0xffff, sequenceNumber);
    this.#last = sequence;
    this.#forget(nowUs);
    const packet = { sequence, sizeBytes, sentAtUs: nowUs, ...(probeId === undefined ? {} : { probeId }) };
    const entry = { packet, lost: false };
    this.#entries.set(sequence, entry);
    this.#inFlight.add(entry);
    this.#inFlightBytes += sizeBytes;
    return packet;
  }

  /** Feedback about what was sent before this will not come any more: it was lost itself. */
  landBefore(sentBeforeUs: number): void {
    for (const entry of this.#inFlight) {
      if (entry.packet.sentAtUs >= sentBeforeUs) break;
      this.#land(entry);
    }
  }

  /** Takes a feedback message; nothing if it tells of no packet that is remembered, or cannot be true. */
  feedback(message: TransportFeedback, nowUs: number): FeedbackReport | undefined {
    if (this.#last === undefined) return undefined;
    const base = this.#last + sequenceDistance(this.#last & 0xffff, message.baseSequence);
    const known = message.arrivalsUs.some((_, index) => this.#entries.has(base + index));
    const credible = message.arrivalsUs.every((arrivalUs) => Math.abs(arrivalUs ?? 0) < CLOCK_JUMP_US);
    if (!known || !credible) return undefined;
    // What a receiver claims to have got before it was sent must not make news of the rest look old.
    const end = Math.min(base + message.arrivalsUs.length - 1, this.#last);
    const origin = this.#originOf(message.referenceTicks, nowUs, end > this.#highestReported);
    if (origin === undefined) return undefined;
    const { originUs, clockJumped } = origin;
    let priorUnreportedBytes = this.#passOver(base);
    const packets: PacketResult[] = [];
    for (const [index, arrivalUs] of message.arrivalsUs.entries()) {
      const receivedAtUs = arrivalUs === undefined ? undefined : originUs + arrivalUs;
      const result = this.#resolve(base + index, receivedAtUs, priorUnreportedBytes);
      if (result === undefined) continue;
      packets.push(result);
      if (receivedAtUs !== undefined) priorUnreportedBytes = 0;
    }
    this.#highestReported = Math.max(this.#highestReported, end);
    return { atUs: nowUs, packets, clockJumped, inFlightBytes: this.#inFlightBytes };
  }

  /** The route has changed: nothing that is in flight will be reported. */
  reset(): void {
    this.#entries.clear();
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
    this.#highestReported = Number.NEGATIVE_INFINITY;
    this.#reference = undefined;
  }

  #resolve(sequence: number, receivedAtUs: number | undefined, priorUnreportedBytes: number): PacketResult | undefined {
    const entry = this.#entries.get(sequence);
    if (entry === undefined) return undefined;
    const wasReportedLost = entry.lost;
    if (receivedAtUs === undefined) {
      if (wasReportedLost) return undefined;
      entry.lost = true;
      this.#land(entry);
      return { ...entry.packet, wasReportedLost, priorUnreportedBytes: 0 };
    }
    this.#land(entry);
    this.#entries.delete(sequence);
    return { ...entry.packet, receivedAtUs, wasReportedLost, priorUnreportedBytes };
  }

  /** A message begins at this packet: nothing will be said any more of those before it that are still in flight. Returns their bytes. */
  #passOver(base: number): number {
    if (base <= this.#highestReported + 1) return 0;
    let bytes = 0;
    for (const entry of this.#inFlight) {
      if (entry.packet.sequence >= base) break;
      bytes += entry.packet.sizeBytes;
      this.#land(entry);
    }
    return bytes;
  }

  #land(entry: Entry): void {
    if (!this.#inFlight.delete(entry)) return;
    this.#inFlightBytes -= entry.packet.sizeBytes;
  }

  #forget(nowUs: number): void {
    for (const [sequence, entry] of this.#entries) {
      if (this.#entries.size < MAX_REMEMBERED && nowUs - entry.packet.sentAtUs < REMEMBERED_US) break;
      this.#land(entry);
      this.#entries.delete(sequence);
    }
  }

  /**
   * The reference time of a message on an unwrapped clock, in microseconds. A message without news was overtaken or came twice: it neither turns the
   * clock back nor sets it, and one from far away is nothing.
   */
  #originOf(
    ticks: number,
    nowUs: number,
    isNews: boolean,
  ): { readonly originUs: number; readonly clockJumped: boolean } | undefined {
    const former = this.#reference ?? { ticks, atUs: nowUs };
    const unwrapped = former.ticks + wrappedDistance(former.ticks, ticks);
    const originUs = unwrapped * REFERENCE_TICK_US;
    const driftUs = originUs - former.ticks * REFERENCE_TICK_US - (nowUs - former.atUs);
    const clockJumped = Math.abs(driftUs) > CLOCK_JUMP_US;
    if (!isNews) return clockJumped ? undefined : { originUs, clockJumped };
    this.#reference = { ticks: unwrapped, atUs: nowUs };
    return { originUs, clockJumped };
  }
}

/** From one reference time to another, whichever way is shorter around 2^24. */
function wrappedDistance(from: number, to: number): number {
  const ahead = (((to - from) % REFERENCE_TICKS) + REFERENCE_TICKS) % REFERENCE_TICKS;
  return ahead >= REFERENCE_TICKS / 2 ? ahead - REFERENCE_TICKS : ahead;
}
