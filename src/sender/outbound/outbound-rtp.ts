import type { Clock } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import { ntpTimestamp, rtpTimestamp } from '../../rtp/media-time.js';
import type { ReportBlock } from '../../rtp/rtcp-packet.js';
import { writeSenderReport } from '../../rtp/rtcp-write.js';
import type { RtpCodec, RtpCodecTraits } from '../../rtp/rtp-codec.js';
import { RtpStream, type RtpStreamCounts } from '../../rtp/rtp-stream.js';
import type { FrameTraits } from '../../rtp/send-history.js';
import type { MediaTransport } from '../../transport/media-transport.js';
import type { RemoteInboundStats } from '../stats/track-stats.js';
import { FrameCutter, type PreparedPacket } from './frame-cutter.js';
import {
  type FrameFate,
  FrameInTransit,
  MediaPacket,
  SparePacket,
  type StreamPacing,
  type WriteOutcome,
} from './outbound-packets.js';
import { ReceiverReports } from './receiver-reports.js';
import { Retransmitter } from './retransmitter.js';
import { type PeerRefusal, RoutedStream } from './routed-stream.js';
import type { AgreedTrack, RtpRoute, StreamLabels } from './rtp-route.js';
import type { OutboundPacket, SendPath, TakenBack } from './send-path.js';

/** The count of padding is one byte (RFC 3550 section 5.1). */
const MAX_PADDING_BYTES = 255;
/** As above: it is missed like any frame. */
const PADDING: FrameTraits = { isKeyFrame: false, isDiscardable: false };
/** Until a receiver report tells the round trip, a packet is not sent again more often than this. */
const DEFAULT_RESEND_INTERVAL_US = 50_000;

/**
 * The RTP side of one stream of a track: cuts frames into packets, stamps packets when the send path lets them go, and tells sender reports. The
 * streams (SSRCs, sequence numbers, timestamps) live as long as the track and run on over encoder swaps and reconnects.
 *
 * Owner: its track. All calls are synchronous.
 */
export class OutboundRtp extends RoutedStream {
  readonly #clock: Clock;
  readonly #stream: RtpStream;
  /** Is offered for its retransmissions. */
  readonly rtxSsrc: number | undefined;
  readonly #retransmitter: Retransmitter;
  readonly #cutter: FrameCutter;
  readonly #path: SendPath;
  /** Read by every packet that waits. */
  readonly #pacing: { -readonly [Field in keyof StreamPacing]: StreamPacing[Field] };
  #lossesGivenUp: () => void = () => undefined;
  /** Of the last packet to this peer; nothing before the first. */
  #lastPayloadType: number | undefined;
  #reports: ReceiverReports;

  constructor(init: {
    readonly codec: RtpCodec;
    readonly ssrc: number;
    /** For its retransmissions, where the peer takes them as a stream of their own; lost sound is concealed sooner than it could be sent again. */
    readonly rtxSsrc?: number;
    /** What each of its packets bears, if the peer wants to know. */
    readonly labels?: StreamLabels;
    readonly clock: Clock;
    readonly random: Random;
    readonly path: SendPath;
  }) {
    const { clock, random, path, codec, rtxSsrc } = init;
    super(init.labels ?? {});
    this.#clock = clock;
    this.#path = path;
    this.#cutter = new FrameCutter(codec, random);
    this.#reports = new ReceiverReports(this.#traits.clockRate);
    this.#pacing = { ssrc: init.ssrc, kind: this.#traits.kind, priority: 0 };
    this.#stream = new RtpStream(init.ssrc, random);
    this.rtxSsrc = this.#traits.kind === 'video' ? rtxSsrc : undefined;
    const rtx = this.rtxSsrc === undefined ? undefined : new RtpStream(this.rtxSsrc, random);
    const pacing = this.#pacing;
    const givenUp = () => this.#lossesGivenUp();
    this.#retransmitter = new Retransmitter({ clock, media: this.#stream, rtx, path, pacing, givenUp });
  }

  get ssrc(): number {
    return this.#stream.ssrc;
  }

  /** Of media and retransmissions together. */
  get counts(): RtpStreamCounts {
    return this.#retransmitter.counts;
  }

  /** What this peer calls the stream, as far as it takes it. */
  get agreed(): { readonly mid?: string; readonly payloadType?: number } {
    const mid = this.route?.mid;
    const payloadType = this.route?.payloadTypes.get(this.#cutter.codec);
    return mid === undefined || payloadType === undefined ? {} : { mid, payloadType };
  }

  /** That of its retransmissions, if this peer takes them as a stream of their own. */
  get agreedRtxSsrc(): number | undefined {
    return (this.route?.rtxPayloadTypes.size ?? 0) > 0 ? this.rtxSsrc : undefined;
  }

  /** What the receiver last reported. */
  get remoteInbound(): RemoteInboundStats | undefined {
    return this.#reports.latest;
  }

  /** Frames are of another codec from now on, of the same kind: the stream goes on with another payload type. */
  changeCodec(codec: RtpCodec): void {
    this.#cutter.changeCodec(codec);
  }

  get #traits(): RtpCodecTraits {
    return this.#cutter.traits;
  }

  /**
   * Sends over this transport from now on. The peer has seen nothing of what was sent before.
   * @param codec that was offered first
   * @param refusal why the peer does not want it now
   */
  bind(
    transport: MediaTransport,
    negotiated: AgreedTrack,
    codec: RtpCodec = this.#cutter.codec,
    refusal?: PeerRefusal,
  ): void {
    if (this.route?.transport !== transport) this.#forgetPeer();
    this.take(transport, negotiated, codec, refusal);
  }

  /** Its packets go before those of lower classes from now on; what waits keeps its place, and no packet of a stream overtakes another. */
  setPriorityClass(priorityClass: number): void {
    this.#pacing.priority = -priorityClass;
  }

  /** Whether a frame had better not be encoded now: it would come too late. */
  get mustSkipFrames(): boolean {
    return this.#traits.kind === 'video' && this.#path.mustSkipFrames(this.#pacing.priority);
  }

  /**
   * Sends nothing from now on; what waits is lost.
   * @param refusal why the peer that there is will get nothing
   */
  unbind(refusal?: PeerRefusal): void {
    this.leave(refusal);
    this.takeBack('not-connected');
  }

  /** Nobody can use what was sent so far: it is not sent again. */
  forgetSent(): void {
    this.#retransmitter.forgetSent();
  }

  /** @param told when the peer misses what will not be sent again */
  onLossesGivenUp(told: () => void): void {
    this.#lossesGivenUp = told;
  }

  /** Gives up what waits. */
  takeBack(reason: TakenBack): void {
    this.#path.takeBack(this.ssrc, reason);
  }

  /**
   * Frames are left out because they are silence: the packet that ends the pause bears the marker bit (RFC 7587 section 4.1, RFC 3551
   * section 4.1), be it sound or the update of the background noise that Opus sends every 400 ms.
   */
  beginSilence(): void {
    this.#cutter.beginSilence();
  }

  /**
   * Packetizes one encoded frame and hands it to the send path. All its packets carry the timestamp of its own capture time. `data` is
   * not referenced after the return.
   *
   * @param temporalLayerId in streams with temporal layers
   * @param settled told once what became of the frame, before the return or later; frames of a track are settled in their order, but for frames that nothing depends on, which
   *   may be dropped before
   * @throws FramelockError INVALID_FRAME if the bytes are not a bitstream of the codec; `settled` is not called then
   */
  sendFrame(
    data: Uint8Array,
    type: 'key' | 'delta',
    timestampUs: number,
    settled: (fate: FrameFate) => void,
    temporalLayerId?: number,
  ): void {
    const route = this.route;
    const payloadType = route?.payloadTypes.get(this.#cutter.codec);
    // A frame of a codec that this peer has not agreed to cannot be sent to it, like one without a connection.
    if (!route?.isConnected || payloadType === undefined) {
      settled({ outcome: 'dropped', reason: 'not-connected' });
      return;
    }
    this.#retransmitter.sendExtras(route);
    // Capture times are monotonic, the extension is on the clock of the sender reports: carry the age over.
    const captureWallUs = this.#clock.wallUs() - (this.#clock.nowUs() - timestampUs);
    const isKeyFrame = type === 'key';
    const { packets, endsSilence } = this.#cutter.cut(
      { data, isKeyFrame, temporalLayerId, timestampUs, captureWallUs, payloadType },
      route,
    );
    const traits = {
      isKeyFrame: isKeyFrame && this.#traits.kind === 'video',
      isDiscardable: temporalLayerId !== undefined && temporalLayerId > 0,
    };
    const frame = new FrameInTransit(traits, packets.length, (fate) => {
      if (fate.outcome === 'dropped' && endsSilence) this.#cutter.beginSilence();
      settled(fate);
    });
    this.#path.enqueue(
      packets.map(
        (prepared) =>
          new MediaPacket(this.#pacing, prepared.sizeBytes, frame, (nowUs, transportSequence) =>
            this.#write(route, prepared, traits, nowUs, transportSequence),
          ),
      ),
    );
  }

  /** Something that was sent already, as padding for probes: it may be of use. Nothing where the peer takes no retransmissions as a stream of their own. */
  repetition(): OutboundPacket | undefined {
    return this.route === undefined ? undefined : this.#retransmitter.repetition(this.route);
  }

  /**
   * A packet of padding, for probes; nothing before a frame has been sent to this peer, where its arrival would not be reported, and for
   * audio. It is kept like any other: a receiver that misses it asks for it, and some decode nothing behind the gap until they have it
   * (libwebrtc's modules/video_coding/rtp_seq_num_only_ref_finder.cc).
   */
  padding(): OutboundPacket | undefined {
    const route = this.route;
    const payloadType = this.#lastPayloadType;
    const timestamp = this.#stream.lastTimestamp;
    if (!route?.hasTransportSequence || payloadType === undefined || timestamp === undefined) return undefined;
    if (this.#traits.kind === 'audio') return undefined;
    const payload = new Uint8Array(MAX_PADDING_BYTES).fill(MAX_PADDING_BYTES, -1);
    const sizeBytes = route.headerBytes + payload.length;
    const prepared = { payloadType, timestamp, marker: false, ofFrame: [], payload, padding: true, sizeBytes };
    return new SparePacket(this.#pacing, sizeBytes, (nowUs, transportSequence) =>
      this.#write(route, prepared, PADDING, nowUs, transportSequence),
    );
  }

  /** Answers a NACK: sends again what there still is, each packet at most once a round trip. */
  resend(sequenceNumbers: readonly number[]): void {
    if (this.route === undefined) return;
    const intervalUs = this.#reports.roundTripUs ?? DEFAULT_RESEND_INTERVAL_US;
    this.#retransmitter.resend(this.route, sequenceNumbers, intervalUs);
  }

  /** Takes in what a receiver says of this stream. `arrivalWallUs`: when the report arrived, on the wall clock that stamps sender reports. */
  receiverReported(block: ReportBlock, arrivalWallUs: number): void {
    this.#reports.receive(block, arrivalWallUs);
  }

  /** A sender report of this instant; none before the first packet (RFC 3550 section 6.4). */
  senderReport(): Uint8Array | undefined {
    if (this.#stream.lastTimestamp === undefined) return undefined;
    const { packetsSent, bytesSent } = this.#stream.counts;
    const wallUs = this.#clock.wallUs();
    this.#reports.senderReported(wallUs);
    return writeSenderReport({
      ssrc: this.ssrc,
      ntp: ntpTimestamp(wallUs),
      rtpTimestamp: rtpTimestamp(this.#clock.nowUs(), this.#traits.clockRate),
      packetCount: packetsSent,
      octetCount: bytesSent,
    });
  }

  #forgetPeer(): void {
    this.#retransmitter.forget();
    this.#lastPayloadType = undefined;
    this.#reports = new ReceiverReports(this.#traits.clockRate);
  }

  /** Sequence numbers are used up by packets that were written, and by no others. */
  #write(
    route: RtpRoute,
    { payloadType, timestamp, marker, ofFrame, payload, padding }: PreparedPacket,
    frame: FrameTraits,
    nowUs: number,
    transportSequence: number | undefined,
  ): WriteOutcome {
    const extensions = route.extensions(nowUs, ofFrame, transportSequence);
    const header = this.#stream.prepare({ payloadType, timestamp, marker, extensions, padding });
    if (!route.transport.sendRtp(header, payload)) return 'refused';
    this.#lastPayloadType = payloadType;
    this.#stream.commit(header, payload.length);
    return route.outcome(transportSequence, this.#retransmitter.sent(route, header, payload, frame, nowUs));
  }
}
