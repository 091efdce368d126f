import {
  rtpHeaderBytes,
  writeAbsCaptureTime,
  writeAbsSendTime,
  writeMid,
  writeTransportWideCc,
} from '../rtp/header-extensions.js';
import type { RtpCodec } from '../rtp/rtp-codec.js';
import type { RtpHeaderExtension } from '../rtp/rtp-packet.js';
import { RTX_HEADER_BYTES } from '../rtp/rtx.js';
import type { MediaTransport, NegotiatedTrack } from '../transport/media-transport.js';
import type { WriteOutcome } from './outbound-packets.js';

/** Largest RTP packet before encryption, as in libwebrtc (`kMaxRtpPacketSize` less room for SRTP, tunnels and TURN). */
const MAX_RTP_PACKET_BYTES = 1200;

/** Where the packets of a track go, and what the peer wants to find in their headers. Immutable. */
export class RtpRoute {
  readonly transport: MediaTransport;
  readonly payloadTypes: ReadonlyMap<RtpCodec, number>;
  /** Size of the header of a packet with a transport-wide sequence number, if they were agreed on. */
  readonly headerBytes: number;
  /** The same with a capture time, if the peer wants to know. */
  readonly largestHeaderBytes: number;
  /** Whether the peer asks for what it lost. */
  readonly hasNack: boolean;
  /** Payload types of retransmissions by those of what they repeat; those of the others are sent again as they are (RFC 4588 section 8.6). */
  readonly rtxPayloadTypes: ReadonlyMap<number, number>;
  readonly #negotiated: NegotiatedTrack;
  readonly #mid: RtpHeaderExtension | undefined;

  /** @param codec that was offered first */
  constructor(transport: MediaTransport, negotiated: NegotiatedTrack, codec: RtpCodec) {
    const { mid } = negotiated.extensions;
    const alternatives = Object.entries(negotiated.alternatives ?? {}) as [RtpCodec, number][];
    this.transport = transport;
    this.payloadTypes = new Map([[codec, negotiated.payloadType], ...alternatives]);
    this.hasNack = negotiated.nack;
    this.rtxPayloadTypes = negotiated.rtx ?? new Map();
    this.#negotiated = negotiated;
    this.#mid = mid === undefined ? undefined : { id: mid, data: writeMid(negotiated.mid) };
    this.headerBytes = rtpHeaderBytes(this.extensions(0, undefined, 0));
    this.largestHeaderBytes = rtpHeaderBytes(this.extensions(0, this.captureTime(0), 0));
  }

  /** Leaves room for what retransmissions bear besides. */
  get maxPayloadBytes(): number {
    const rtxBytes = this.rtxPayloadTypes.size === 0 ? 0 : RTX_HEADER_BYTES;
    return MAX_RTP_PACKET_BYTES - this.largestHeaderBytes - rtxBytes;
  }

  get isConnected(): boolean {
    return this.transport.state === 'connected';
  }

  /** Whether transport-wide sequence numbers were agreed on. */
  get hasTransportSequence(): boolean {
    return this.#negotiated.extensions.transportWideCc !== undefined;
  }

  /** Tells when a picture was captured, microseconds on the wall clock; nothing where the peer does not want to know. */
  captureTime(captureWallUs: number): RtpHeaderExtension | undefined {
    const id = this.#negotiated.extensions.absCaptureTime;
    return id === undefined ? undefined : { id, data: writeAbsCaptureTime(captureWallUs) };
  }

  /** The extensions of a packet that is sent now. */
  extensions(
    nowUs: number,
    captureTime: RtpHeaderExtension | undefined,
    transportSequence: number | undefined,
  ): readonly RtpHeaderExtension[] {
    const { absSendTime, transportWideCc } = this.#negotiated.extensions;
    const extensions: RtpHeaderExtension[] = [];
    if (this.#mid !== undefined) extensions.push(this.#mid);
    if (absSendTime !== undefined) extensions.push({ id: absSendTime, data: writeAbsSendTime(nowUs) });
    if (captureTime !== undefined) extensions.push(captureTime);
    if (transportWideCc !== undefined && transportSequence !== undefined) {
      extensions.push({ id: transportWideCc, data: writeTransportWideCc(transportSequence) });
    }
    return extensions;
  }

  /** The extensions of a packet that is sent again: what tells of its sending is written anew. */
  renewed(
    former: readonly RtpHeaderExtension[],
    nowUs: number,
    transportSequence: number | undefined,
  ): readonly RtpHeaderExtension[] {
    const { absCaptureTime } = this.#negotiated.extensions;
    const captureTime = former.find(({ id }) => id === absCaptureTime);
    return this.extensions(nowUs, captureTime, transportSequence);
  }

  /** What is to be told of a packet that was written with this number, if there was one. */
  outcome(transportSequence: number | undefined): WriteOutcome {
    return this.hasTransportSequence && transportSequence !== undefined ? 'written with sequence' : 'written';
  }
}
