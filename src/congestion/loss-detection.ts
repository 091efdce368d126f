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
/** Nobody wants to know what became of packets that were sent this long ago. */
const REMEMBERED_US = 2_000_000;
/** Half a second of full packets at 20 Mbit/s and more, if none of them arrives. */
const MAX_REMEMBERED = 2_048;

interface Sending<Subject> {
  readonly subject: Subject;
  readonly sentAtUs: number;
  isReported: boolean;
  told: PacketFate | undefined;
}

/**
 * Tells which packets were lost, by the times at which they were sent: once a later one has arrived, what was sent {@link REORDERING_US} before it should have (RACK,
 * RFC 8985 section 6.2). There is no timer, since it takes feedback to learn anything, and a lost packet that arrives after all is told of again.
 *
 * Owner: the driver of the network controller. Memory is bounded by time and count.
 */
export class LossDetection<Subject> {
  /** Those that have not arrived, as far as is known, in the order of sending. */
  readonly #sendings = new Map<number, Sending<Subject>>();
  #newestArrivalSentUs = Number.NEGATIVE_INFINITY;

  /**
   * A packet was handed to the socket.
   * @param sequence transport-wide, counted on without wrapping
   * @param subject what is handed out again with its fate
   */
  sent(sequence: number, sentAtUs: number, subject: Subject): void {
    for (const [oldest, sending] of this.#sendings) {
      if (this.#sendings.size < MAX_REMEMBERED && sentAtUs - sending.sentAtUs < REMEMBERED_US) break;
      this.#sendings.delete(oldest);
    }
    this.#sendings.set(sequence, { subject, sentAtUs, isReported: false, told: undefined });
  }

  /** The receiver has told more: what is known by now of which packets, first those that arrived, each in the order of sending. */
  reported({ packets }: FeedbackReport): readonly { readonly subject: Subject; readonly fate: PacketFate }[] {
    const fates: { subject: Subject; fate: PacketFate }[] = [];
    for (const { sequence, receivedAtUs, sentAtUs } of packets) {
      const sending = this.#sendings.get(sequence);
      if (receivedAtUs !== undefined) {
        this.#newestArrivalSentUs = Math.max(this.#newestArrivalSentUs, sentAtUs);
        this.#sendings.delete(sequence);
        if (sending !== undefined) fates.push({ subject: sending.subject, fate: 'arrived' });
      } else if (sending !== undefined) sending.isReported = true;
    }
    for (const sending of this.#sendings.values()) {
      if (sending.sentAtUs > this.#newestArrivalSentUs - REORDERING_US) break;
      const fate = sending.isReported ? 'lost' : 'unreported';
      if (sending.told === fate) continue;
      sending.told = fate;
      fates.push({ subject: sending.subject, fate });
    }
    return fates;
  }
}
