import type { OutgoingRtp, ReceivedRtp } from '../media/media-link.js';
import type { RtxStream } from '../media/rtx-stream.js';
import { StreamRewriter } from '../media/stream-rewriter.js';
import { matchCodec } from '../sdp/codec-match.js';
import type { OfferedCodec } from '../sdp/sdp-offer.js';
import { type ForwardedTrack, goesOn } from './forwarded-track.js';

/** One m-line of a viewer: whatever track is at its place in the room, as one continuous RTP stream. */
export class ViewerOutput {
  readonly ssrc: number;
  readonly #codecs: readonly OfferedCodec[];
  readonly #rewriter: StreamRewriter;
  readonly #rtx: RtxStream | undefined;
  #source: ForwardedTrack | undefined;
  /** The first of those by which the stream of the source has come. */
  #stream: ForwardedTrack | undefined;
  /** The viewer's payload types by those of the source: one entry for each codec that both have. */
  #payloadTypes: ReadonlyMap<number, number> = new Map();

  /**
   * @param codecs what the viewer can receive here
   * @param rtx where packets are repeated; absent for a viewer that takes them in the stream of the others only
   */
  constructor(ssrc: number, firstSequence: number, codecs: readonly OfferedCodec[], rtx?: RtxStream) {
    this.ssrc = ssrc;
    this.#codecs = codecs;
    this.#rewriter = new StreamRewriter(firstSequence);
    this.#rtx = rtx;
  }

  /** The packet as this viewer gets it; nothing if it cannot receive the packet's codec. */
  rewrite(source: ForwardedTrack, packet: ReceivedRtp, nowUs: number): OutgoingRtp | undefined {
    const stream = this.#streamOf(source);
    if (source !== this.#source) {
      this.#source = source;
      this.#stream = stream;
      this.#payloadTypes = payloadTypesBetween(source.codecs, this.#codecs);
    }
    const payloadType = this.#payloadTypes.get(packet.payloadType);
    if (payloadType === undefined) {
      this.#rewriter.interrupt();
      return undefined;
    }
    const { sequenceNumber, timestamp, marker, payload } = packet;
    const position = this.#rewriter.rewrite(stream, sequenceNumber, timestamp, nowUs);
    return { ssrc: this.ssrc, payloadType, marker, payload, ...position };
  }

  /** A packet that was sent before, once more; nothing if it is no longer there. */
  resend(source: ForwardedTrack, sequenceNumber: number, nowUs: number): OutgoingRtp | undefined {
    const original = this.#rewriter.originalSequence(this.#streamOf(source), sequenceNumber);
    const packet = original === undefined ? undefined : source.cached(original);
    const again = packet === undefined ? undefined : this.rewrite(source, packet, nowUs);
    return again === undefined || this.#rtx === undefined ? again : this.#rtx.repeat(again);
  }

  #streamOf(source: ForwardedTrack): ForwardedTrack {
    const isKnown = source === this.#source || goesOn(source, this.#source);
    return (isKnown ? this.#stream : undefined) ?? source;
  }
}

function payloadTypesBetween(
  published: readonly OfferedCodec[],
  received: readonly OfferedCodec[],
): ReadonlyMap<number, number> {
  const payloadTypes = new Map<number, number>();
  for (const codec of published) {
    const match = matchCodec(codec, received);
    if (match !== undefined) payloadTypes.set(codec.payloadType, match.payloadType);
  }
  return payloadTypes;
}
