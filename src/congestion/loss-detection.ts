import type { FeedbackReport } from './sent-packets.js';

/** What became of a packet. */
export type PacketFate =
  | 'arrived'
  /** The receiver says that it has not come, and that a later one has. */
  | 'lost'
  /** The receiver has told of later ones, and never of this one: the feedback about it was lost, and the packet may have been. */
  | 'unreported';

/**
 * A packet that was overtaken by others sent within this time is not given up yet. Links that repair losses themselves deliver that much out of order (RFC 8985
 * section 6.2, step 4, begins with a quarter of the round trip); what is reported next tells.
 */
export const REORDERING_US = 20_000;
/**
 * Nobody asks for the last packets of a stream that pauses: of these another stream decides, after this long. Longer than it takes whoever receives 15 frames a second to notice a
 * gap, by the next packet, and to ask, by the one after.
 */
export const STREAM_ENDED_US = 300_000;
/** Nobody wants to know what became of packets that were sent this long ago. */
const REMEMBERED_US = 2_000_000;
/** Half a second of full packets at 20 Mbit/s and more, if none of them arrives. */
const MAX_REMEMBERED = 2_048;

/** What may be lost. */
export interface Loseable<Subject> {
  /** Counted on without wrapping. */
  readonly sequence: number;
  readonly sentAtUs: number;
  /** Is handed out again with the fate. */
  readonly subject: Subject;
  /** The stream by whose own numbers the receiver notices that it is missing; absent for what is sent again. */
  readonly ssrc?: number | undefined;
}

interface Sending<Subject> extends Loseable<Subject> {
  /** When that packet of the same stream was sent by whose arrival the gap was noticed. */
  noticedBySentUs: number | undefined;
  /** Whether the receiver must have asked for it by now. */
  isAskedFor: boolean;
  isReported: boolean;
  told: PacketFate | undefined;
}

/** What became of what. */
export interface Fate<Subject> {
  readonly subject: Subject;
  readonly fate: PacketFate;
}

interface Arrival {
  readonly sequence: number;
  readonly sentAtUs: number;
}

/**
 * Tells which packets were lost, by the times at which they were sent: once another has arrived that was sent {@link REORDERING_US} later, the first should have (RACK,
 * RFC 8985 section 6.2). There is no timer, since it takes feedback to learn anything, and a lost packet that arrives after all is told of again.
 *
 * Of what is sent for the first time, two packets of the same stream have to arrive, of which the second was sent that much after the first: by the first the receiver notices
 * the gap, and by the second it has asked. Janus drops what is sent again before (its ice.c, `rtx_nacked`, `SEQ_MISSING_WAIT`), and who is asked need not guess.
 *
 * Owner: the driver of the network controller. Memory is bounded by time and count.
 */
export class LossDetection<Subject> {
  /** Those that have not arrived, as far as is known, in the order of sending. */
  readonly #sendings = new Map<number, Sending<Subject>>();
  #newestArrivalSentUs = Number.NEGATIVE_INFINITY;

  /** A packet was handed to the socket. */
  sent({ sequence, sentAtUs, subject, ssrc }: Loseable<Subject>): void {
    for (const [oldest, sending] of this.#sendings) {
      if (this.#sendings.size < MAX_REMEMBERED && sentAtUs - sending.sentAtUs < REMEMBERED_US) break;
      this.#sendings.delete(oldest);
    }
    const unknown = { noticedBySentUs: undefined, isAskedFor: ssrc === undefined, isReported: false, told: undefined };
    this.#sendings.set(sequence, { sequence, sentAtUs, subject, ssrc, ...unknown });
  }

  /** The receiver has told more: what is known by now of which packets, first those that arrived, each in the order of sending. */
  reported({ packets }: FeedbackReport): readonly Fate<Subject>[] {
    const fates: Fate<Subject>[] = [];
    /** Of each stream, in the order of sending. */
    const arrivals = new Map<number | undefined, Arrival[]>();
    for (const { sequence, receivedAtUs, sentAtUs } of packets) {
      const sending = this.#sendings.get(sequence);
      if (receivedAtUs === undefined) {
        if (sending !== undefined) sending.isReported = true;
        continue;
      }
      this.#newestArrivalSentUs = Math.max(this.#newestArrivalSentUs, sentAtUs);
      this.#sendings.delete(sequence);
      if (sending === undefined) continue;
      fates.push({ subject: sending.subject, fate: 'arrived' });
      const ofStream = arrivals.get(sending.ssrc) ?? [];
      ofStream.push({ sequence, sentAtUs });
      arrivals.set(sending.ssrc, ofStream);
    }
    for (const sending of this.#sendings.values()) {
      if (!sending.isAskedFor) overtake(sending, arrivals.get(sending.ssrc) ?? []);
      const fate = this.#newsOf(sending);
      if (fate === undefined) continue;
      sending.told = fate;
      fates.push({ subject: sending.subject, fate });
    }
    return fates;
  }

  /** Of a packet that has not arrived; nothing while it may still come, and where that was told already. */
  #newsOf({ sentAtUs, isAskedFor, isReported, told }: Sending<Subject>): PacketFate | undefined {
    const patienceUs = isAskedFor ? REORDERING_US : STREAM_ENDED_US;
    if (sentAtUs > this.#newestArrivalSentUs - patienceUs) return undefined;
    const fate = isReported ? 'lost' : 'unreported';
    return fate === told ? undefined : fate;
  }
}

/** @param arrivals of the same stream */
function overtake(sending: Sending<unknown>, arrivals: readonly Arrival[]): void {
  sending.noticedBySentUs ??= arrivals.find(({ sequence }) => sequence > sending.sequence)?.sentAtUs;
  const newestUs = arrivals.at(-1)?.sentAtUs ?? Number.NEGATIVE_INFINITY;
  sending.isAskedFor = newestUs >= (sending.noticedBySentUs ?? Number.POSITIVE_INFINITY) + REORDERING_US;
}
