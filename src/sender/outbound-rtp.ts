import type { Clock } from '../core/clock.js';
import type { Random } from '../core/random.js';
import { createPacketizer } from '../rtp/create-packetizer.js';
import { rtpHeaderBytes, writeAbsCaptureTime, writeAbsSendTime, writeMid } from '../rtp/header-extensions.js';
import { ntpTimestamp, roundTripTimeUs, rtpTimestamp } from '../rtp/media-time.js';
import type { Packetizer } from '../rtp/packetizer.js';
import type { ReportBlock } from '../rtp/rtcp-packet.js';
import { writeSenderReport } from '../rtp/rtcp-write.js';
import { RTP_CODECS, type RtpCodec, type RtpCodecTraits } from '../rtp/rtp-codec.js';
import type { RtpHeaderExtension } from '../rtp/rtp-packet.js';
import { RtpStream, type RtpStreamCounts } from '../rtp/rtp-stream.js';
import { SendHistory } from '../rtp/send-history.js';
import type { MediaTransport, NegotiatedTrack } from '../transport/media-transport.js';
import type { RemoteInboundStats } from './track-stats.js';

/** Largest RTP packet before encryption, as in libwebrtc (`kMaxRtpPacketSize` less room for SRTP, tunnels and TURN). */
const MAX_RTP_PACKET_BYTES = 1200;
/** Until a receiver report tells the round trip, a packet is not sent again more often than this. */
const DEFAULT_RESEND_INTERVAL_US = 50_000;

/** Where the packets of a track go now. */
interface Route {
  readonly transport: MediaTransport;
  readonly negotiated: NegotiatedTrack;
  readonly payloadTypes: ReadonlyMap<RtpCodec, number>;
  readonly mid: RtpHeaderExtension | undefined;
  readonly maxPayloadBytes: number;
}

/**
 * The RTP side of one track: packetizes frames, stamps and sends packets, keeps a history for NACKs, and tells sender reports. The
 * stream (SSRC, sequence numbers, timestamps) lives as long as the track and runs on over encoder swaps and reconnects.
 *
 * Owner: its track. All calls are synchronous. The route is replaced by the connector in one assignment.
 */
export class OutboundRtp {
  readonly #clock: Clock;
  readonly #stream: RtpStream;
  readonly #traits: RtpCodecTraits;
  readonly #random: Random;
  #codec: RtpCodec;
  #packetizer: Packetizer;
  #history = new SendHistory();
  /** Whether frames of silence were left out since the last packet. */
  #silent = false;
  #route: Route | undefined;
  #roundTripUs: number | undefined;
  #remoteInbound: RemoteInboundStats | undefined;

  constructor(init: {
    readonly codec: RtpCodec;
    readonly ssrc: number;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.#clock = init.clock;
    this.#stream = new RtpStream(init.ssrc, init.random);
    this.#traits = RTP_CODECS[init.codec];
    this.#random = init.random;
    this.#codec = init.codec;
    this.#packetizer = createPacketizer(init.codec, init.random);
  }

  get ssrc(): number {
    return this.#stream.ssrc;
  }

  get counts(): RtpStreamCounts {
    return this.#stream.counts;
  }

  /** What the receiver last reported. */
  get remoteInbound(): RemoteInboundStats | undefined {
    return this.#remoteInbound;
  }

  /** Whether frames of this codec can be sent: to the peer that there is, or to one that is yet to come. */
  accepts(codec: RtpCodec): boolean {
    return this.#route === undefined || this.#route.payloadTypes.has(codec);
  }

  /** Frames are of another codec from now on, of the same kind: the stream goes on with another payload type. */
  changeCodec(codec: RtpCodec): void {
    this.#codec = codec;
    this.#packetizer = createPacketizer(codec, this.#random);
  }

  /** Whether packets can be sent now. */
  get connected(): boolean {
    return this.#route?.transport.state === 'connected';
  }

  /**
   * Sends over this transport from now on. The peer has seen nothing of what was sent before.
   * @param codec that was offered first
   */
  bind(transport: MediaTransport, negotiated: NegotiatedTrack, codec: RtpCodec = this.#codec): void {
    const { mid, absSendTime, absCaptureTime } = negotiated.extensions;
    const midExtension = mid === undefined ? undefined : { id: mid, data: writeMid(negotiated.mid) };
    const largestHeader = rtpHeaderBytes([
      ...(midExtension === undefined ? [] : [midExtension]),
      ...(absSendTime === undefined ? [] : [{ id: absSendTime, data: writeAbsSendTime(0) }]),
      ...(absCaptureTime === undefined ? [] : [{ id: absCaptureTime, data: writeAbsCaptureTime(0) }]),
    ]);
    if (this.#route?.transport !== transport) this.#forgetPeer();
    const alternatives = Object.entries(negotiated.alternatives ?? {}) as [RtpCodec, number][];
    this.#route = {
      transport,
      negotiated,
      payloadTypes: new Map([[codec, negotiated.payloadType], ...alternatives]),
      mid: midExtension,
      maxPayloadBytes: MAX_RTP_PACKET_BYTES - largestHeader,
    };
  }

  /** Sends nothing from now on. */
  unbind(): void {
    this.#route = undefined;
  }

  /**
   * Frames are left out because they are silence: the packet that ends the pause bears the marker bit (RFC 7587 section 4.1, RFC 3551
   * section 4.1), be it sound or the update of the background noise that Opus sends every 400 ms.
   */
  beginSilence(): void {
    this.#silent = true;
  }

  /**
   * Packetizes and sends one encoded frame. All its packets carry the timestamp of its own capture time.
   * Returns the number of packets, or `undefined` if there is no connection or it broke in between.
   *
   * @throws FramelockError INVALID_FRAME if the bytes are not a bitstream of the codec
   */
  sendFrame(data: Uint8Array, type: 'key' | 'delta', timestampUs: number): number | undefined {
    const route = this.#route;
    const payloadType = route?.payloadTypes.get(this.#codec);
    // A frame of a codec that this peer has not agreed to cannot be sent to it, like one without a connection.
    if (route?.transport.state !== 'connected' || payloadType === undefined) return undefined;
    const payloads = this.#packetizer.packetize(data, { key: type === 'key' }, route.maxPayloadBytes);
    const timestamp = rtpTimestamp(timestampUs, this.#traits.clockRate);
    const captureTime = this.#captureTimeExtension(route, timestampUs);
    for (const [index, payload] of payloads.entries()) {
      const nowUs = this.#clock.nowUs();
      const header = this.#stream.prepare({
        payloadType,
        timestamp,
        marker: this.#traits.markerEndsFrame ? index === payloads.length - 1 : this.#silent,
        extensions: this.#extensions(route, nowUs, index === 0 ? captureTime : undefined),
      });
      if (!route.transport.sendRtp(header, payload)) return undefined;
      this.#stream.commit(header, payload.length);
      this.#silent = false;
      this.#history.store(header, payload, nowUs);
    }
    return payloads.length;
  }

  /** Answers a NACK: sends again what the history still has, each packet at most once a round trip. */
  resend(sequenceNumbers: readonly number[]): void {
    const route = this.#route;
    if (route === undefined) return;
    const intervalUs = this.#roundTripUs ?? DEFAULT_RESEND_INTERVAL_US;
    for (const sequenceNumber of sequenceNumbers) {
      const nowUs = this.#clock.nowUs();
      const found = this.#history.lookup(sequenceNumber, nowUs, intervalUs);
      if (found.kind !== 'found') continue;
      const { header, payload } = found.packet;
      const renewed = { ...header, extensions: this.#renewSendTime(route, header.extensions, nowUs) };
      if (route.transport.sendRtp(renewed, payload)) this.#stream.countRetransmission(renewed, payload.length);
    }
  }

  /** Takes in what a receiver says of this stream. `arrivalWallUs`: when the report arrived, on the wall clock that stamps sender reports. */
  receiverReported(block: ReportBlock, arrivalWallUs: number): void {
    this.#roundTripUs = roundTripTimeUs(arrivalWallUs, block) ?? this.#roundTripUs;
    this.#remoteInbound = {
      fractionLost: block.fractionLost / 256,
      packetsLost: block.cumulativeLost,
      jitter: block.jitter / this.#traits.clockRate,
      ...(this.#roundTripUs === undefined ? {} : { roundTripTime: this.#roundTripUs / 1e6 }),
    };
  }

  /** A sender report of this instant; none before the first packet (RFC 3550 section 6.4). */
  senderReport(): Uint8Array | undefined {
    if (this.#stream.lastTimestamp === undefined) return undefined;
    const { packetsSent, bytesSent } = this.#stream.counts;
    return writeSenderReport({
      ssrc: this.ssrc,
      ntp: ntpTimestamp(this.#clock.wallUs()),
      rtpTimestamp: rtpTimestamp(this.#clock.nowUs(), this.#traits.clockRate),
      packetCount: packetsSent,
      octetCount: bytesSent,
    });
  }

  #forgetPeer(): void {
    this.#history = new SendHistory();
    this.#roundTripUs = undefined;
    this.#remoteInbound = undefined;
  }

  #captureTimeExtension(route: Route, timestampUs: number): RtpHeaderExtension | undefined {
    const id = route.negotiated.extensions.absCaptureTime;
    if (id === undefined) return undefined;
    // Capture times are monotonic, the extension is on the clock of the sender reports: carry the age over.
    const ageUs = this.#clock.nowUs() - timestampUs;
    return { id, data: writeAbsCaptureTime(this.#clock.wallUs() - ageUs) };
  }

  #extensions(route: Route, nowUs: number, captureTime: RtpHeaderExtension | undefined): readonly RtpHeaderExtension[] {
    const { absSendTime } = route.negotiated.extensions;
    const extensions: RtpHeaderExtension[] = [];
    if (route.mid !== undefined) extensions.push(route.mid);
    if (absSendTime !== undefined) extensions.push({ id: absSendTime, data: writeAbsSendTime(nowUs) });
    if (captureTime !== undefined) extensions.push(captureTime);
    return extensions;
  }

  #renewSendTime(
    route: Route,
    extensions: readonly RtpHeaderExtension[],
    nowUs: number,
  ): readonly RtpHeaderExtension[] {
    const id = route.negotiated.extensions.absSendTime;
    return extensions.map((extension) =>
      extension.id === id ? { id: extension.id, data: writeAbsSendTime(nowUs) } : extension,
    );
  }
}
