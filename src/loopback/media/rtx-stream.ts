import { nextSequence } from '../../core/sequence.js';
import { writeRtxPayload } from '../../rtp/rtx.js';
import type { OutgoingRtp } from './media-link.js';

/** Repeats packets of one outgoing stream in another, with an SSRC and sequence numbers of its own (RFC 4588 section 4). */
export class RtxStream {
  readonly ssrc: number;
  readonly #payloadTypes: ReadonlyMap<number, number>;
  #sequence: number;

  /**
   * @param firstSequence 0-65535
   * @param payloadTypes of the repetitions, by those of what they repeat
   */
  constructor(ssrc: number, firstSequence: number, payloadTypes: ReadonlyMap<number, number>) {
    this.ssrc = ssrc;
    this.#sequence = firstSequence;
    this.#payloadTypes = payloadTypes;
  }

  /** The packet that repeats this one; the same packet if the receiver takes no repetitions of its codec. */
  repeat(packet: OutgoingRtp): OutgoingRtp {
    const payloadType = this.#payloadTypes.get(packet.payloadType);
    if (payloadType === undefined) return packet;
    const payload = Buffer.from(writeRtxPayload(packet.sequenceNumber, packet.payload).buffer);
    const sequenceNumber = this.#sequence;
    this.#sequence = nextSequence(sequenceNumber);
    return { ...packet, ssrc: this.ssrc, payloadType, sequenceNumber, payload };
  }
}
