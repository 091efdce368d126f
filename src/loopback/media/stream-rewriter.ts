import { sequenceDistance } from '../../core/sequence.js';

/** RTP clock of every video codec (RFC 7741 section 4.1, RFC 6184 section 8.2.1). */
const VIDEO_CLOCK_HZ = 90_000;

/** Sequence number and timestamp of one outgoing packet. */
export interface RewrittenPosition {
  readonly sequenceNumber: number;
  readonly timestamp: number;
}

/**
 * Joins streams, one after the other, to one continuous RTP stream: when the source changes, sequence numbers go on without a gap and
 * timestamps go on with the time that passed, so that the receiver's decoder only needs a key frame. Gaps and reordering within a
 * source are kept.
 */
export class StreamRewriter {
  #source: object | undefined;
  #sequenceOffset = 0;
  #timestampOffset = 0;
  #highestSequence: number;
  /** How far the highest number has moved since the source joined. */
  #span = 0;
  #lastTimestamp = 0;
  #lastUs: number | undefined;

  /** @param firstSequence sequence number of the first packet, 0-65535 */
  constructor(firstSequence: number) {
    this.#highestSequence = (firstSequence - 1) & 0xffff;
  }

  /** @param source identifies the stream that the packet is of */
  rewrite(source: object, sequenceNumber: number, timestamp: number, nowUs: number): RewrittenPosition {
    if (source !== this.#source) this.#join(source, sequenceNumber, timestamp, nowUs);
    const rewritten = (sequenceNumber + this.#sequenceOffset) & 0xffff;
    const rewrittenTimestamp = (timestamp + this.#timestampOffset) >>> 0;
    const step = sequenceDistance(this.#highestSequence, rewritten);
    if (step > 0) {
      this.#highestSequence = rewritten;
      this.#span += step;
      this.#lastTimestamp = rewrittenTimestamp;
      this.#lastUs = nowUs;
    }
    return { sequenceNumber: rewritten, timestamp: rewrittenTimestamp };
  }

  /**
   * Lets the next packet join anew, even if it is of the same source: what is left out until then is no gap to the receiver, which would
   * wait for it, and would lose count after 2^15 packets.
   */
  interrupt(): void {
    this.#source = undefined;
  }

  /** The source's own number of a packet that was sent as `sequenceNumber`; nothing if that was before the source joined. */
  originalSequence(source: object, sequenceNumber: number): number | undefined {
    const known = source === this.#source && sequenceDistance(sequenceNumber, this.#highestSequence) < this.#span;
    return known ? (sequenceNumber - this.#sequenceOffset) & 0xffff : undefined;
  }

  #join(source: object, sequenceNumber: number, timestamp: number, nowUs: number): void {
    this.#source = source;
    this.#sequenceOffset = (this.#highestSequence + 1 - sequenceNumber) & 0xffff;
    this.#span = 0;
    if (this.#lastUs === undefined) return;
    const elapsedTicks = Math.max(1, Math.round(((nowUs - this.#lastUs) / 1_000_000) * VIDEO_CLOCK_HZ));
    this.#timestampOffset = (this.#lastTimestamp + elapsedTicks - timestamp) >>> 0;
  }
}
