import {
  type PlayoutDelay,
  rtpHeaderBytes,
  writeAbsCaptureTime,
  writeAbsSendTime,
  writeMid,
  writePlayoutDelay,
  writeRid,
  writeTransportWideCc,
} from '../../rtp/header-extensions.js';
import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { RtpHeaderExtension } from '../../rtp/rtp-packet.js';
import { RTX_HEADER_BYTES } from '../../rtp/rtx.js';
import type { MediaTransport, NegotiatedTrack } from '../../transport/media-transport.js';
import type { WriteOutcome } from './outbound-packets.js';
import type { FateListener } from './send-path.js';

/** Largest RTP packet before encryption, as in libwebrtc (`kMaxRtpPacketSize` less room for SRTP, tunnels and TURN). */
const MAX_RTP_PACKET_BYTES = 1200;

/** What packets of one stream have in common, whoever the peer is. */
export interface StreamLabels {
  /** Within which the peer is asked to hold pictures back. */
  readonly playoutDelay?: PlayoutDelay | undefined;
  /** Of the encoding. */
  readonly rid?: string | undefined;
}

/** What was agreed on for a track, and what is known of the SFU behind it. */
export interface AgreedTrack extends NegotiatedTrack {
  /** A packet that is so many or more behind the newest one of its stream is of no use there. @default any that arrives is of use */
  readonly repairWindowPackets?: number | undefined;
}

/** Where the packets of a stream go, and what the peer wants to find in their headers. Immutable. */
export class RtpRoute {
  readonly transport: MediaTransport;
  readonly payloadTypes: ReadonlyMap<RtpCodec, number>;
  /** Size of the header of a packet with a transport-wide sequence number, if they were agreed on. */
  readonly headerBytes: number;
  /** The same with what a frame's first packet tells of it. */
  readonly largestHeaderBytes: number;
  /** Whether the peer asks for what it lost. */
  readonly hasNack: boolean;
  /** Payload types of retransmissions by those of what they repeat; those of the others are sent again as they are (RFC 4588 section 8.6). */
  readonly rtxPayloadTypes: ReadonlyMap<number, number>;
  /** A packet that is so many or more behind the newest one of the stream is of no use to the peer. */
  readonly repairWindowPackets: number;
  readonly #negotiated: NegotiatedTrack;
  readonly #mid: RtpHeaderExtension | undefined;
  readonly #rid: RtpHeaderExtension | undefined;
  readonly #repairedRid: RtpHeaderExtension | undefined;
  readonly #playoutDelay: RtpHeaderExtension | undefined;

  /** @param codec that was offered first */
  constructor(transport: MediaTransport, negotiated: AgreedTrack, codec: RtpCodec, labels: StreamLabels = {}) {
    const { mid, playoutDelay: id } = negotiated.extensions;
    const { playoutDelay: bounds, rid } = labels;
    const alternatives = Object.entries(negotiated.alternatives ?? {}) as [RtpCodec, number][];
    this.transport = transport;
    this.payloadTypes = new Map([[codec, negotiated.payloadType], ...alternatives]);
    this.hasNack = negotiated.nack;
    this.rtxPayloadTypes = negotiated.rtx ?? new Map();
    this.repairWindowPackets = negotiated.repairWindowPackets ?? Number.POSITIVE_INFINITY;
    this.#negotiated = negotiated;
    this.#playoutDelay = id === undefined || bounds === undefined ? undefined : { id, data: writePlayoutDelay(bounds) };
    this.#mid = mid === undefined ? undefined : { id: mid, data: writeMid(negotiated.mid) };
    // Not to a peer that takes one stream and knows of no encodings.
    const knownRid = rid !== undefined && negotiated.rids?.has(rid) === true ? rid : undefined;
    this.#rid = ridExtension(negotiated.extensions.rid, knownRid);
    this.#repairedRid = ridExtension(negotiated.extensions.repairedRid, knownRid);
    this.headerBytes = rtpHeaderBytes(this.extensions(0, [], 0));
    this.largestHeaderBytes = rtpHeaderBytes(this.extensions(0, this.ofFrame(0), 0));
  }

  /** The identification tag of the m-line. */
  get mid(): string {
    return this.#negotiated.mid;
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

  /**
   * What the first packet of a frame tells of it, as far as the peer wants to know: when it was captured, microseconds on the wall clock, and how long it
   * may be held back.
   */
  ofFrame(captureWallUs: number): readonly RtpHeaderExtension[] {
    const id = this.#negotiated.extensions.absCaptureTime;
    const extensions: RtpHeaderExtension[] = id === undefined ? [] : [{ id, data: writeAbsCaptureTime(captureWallUs) }];
    if (this.#playoutDelay !== undefined) extensions.push(this.#playoutDelay);
    return extensions;
  }

  /**
   * The extensions of a packet that is sent now. Encodings are named in all of them: libwebrtc stops when a receiver report shows that the stream is known
   * (`ssrc_has_acked_` in modules/rtp_rtcp/source/rtp_sender.cc), which an SFU that restarts, or forwards to another one, does not survive.
   *
   * @param repeats whether it repeats another packet in a stream of its own, where the encoding has another extension (RFC 8852 section 4.2)
   */
  extensions(
    nowUs: number,
    ofFrame: readonly RtpHeaderExtension[],
    transportSequence: number | undefined,
    repeats = false,
  ): readonly RtpHeaderExtension[] {
    const { absSendTime, transportWideCc } = this.#negotiated.extensions;
    const extensions: RtpHeaderExtension[] = [];
    if (this.#mid !== undefined) extensions.push(this.#mid);
    const rid = repeats ? this.#repairedRid : this.#rid;
    if (rid !== undefined) extensions.push(rid);
    if (absSendTime !== undefined) extensions.push({ id: absSendTime, data: writeAbsSendTime(nowUs) });
    extensions.push(...ofFrame);
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
    repeats: boolean,
  ): readonly RtpHeaderExtension[] {
    const { absCaptureTime, playoutDelay } = this.#negotiated.extensions;
    const ofFrame = former.filter(({ id }) => id === absCaptureTime || id === playoutDelay);
    return this.extensions(nowUs, ofFrame, transportSequence, repeats);
  }

  /** What came of a packet that was written with this number, if there was one. */
  outcome(transportSequence: number | undefined, fate: FateListener): WriteOutcome {
    return this.hasTransportSequence && transportSequence !== undefined ? fate : 'written';
  }
}

function ridExtension(id: number | undefined, rid: string | undefined): RtpHeaderExtension | undefined {
  return id === undefined || rid === undefined ? undefined : { id, data: writeRid(rid) };
}
