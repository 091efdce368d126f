import type { Clock } from '../../core/clock.js';
import { sequenceDistance } from '../../core/sequence.js';
import type { ReportBlock, SenderReport } from '../../rtp/rtcp-packet.js';
import { writeNack, writePli } from '../../rtp/rtcp-write.js';
import { RTX_HEADER_BYTES, readOriginalSequence } from '../../rtp/rtx.js';
import { KeyFrameGate } from '../media/key-frame-gate.js';
import type { ReceivedRtp } from '../media/media-link.js';
import { MAX_NACKED_GAP, MissingPackets } from '../media/missing-packets.js';
import { PacketCache } from '../media/packet-cache.js';
import { ReceptionStatistics } from '../media/reception-statistics.js';
import type { OfferedCodec } from '../sdp/sdp-offer.js';

/** A stream of which nothing comes for so long is not sent: fifteen pictures, or five of a camera at 10 Hz. */
const FLOWING_US = 500_000;

/** What a published stream is, from the offer. */
export interface PublisherTrackSpec {
  /** Track id of `a=msid`, or the mid. */
  readonly id: string;
  readonly mid: string;
  /** Of the encoding (RFC 8852). @default the m-line is one stream */
  readonly rid?: string;
  /** The codecs that were agreed to, at least one, in the publisher's order of preference; it may change from one to another at any time. */
  readonly codecs: readonly [OfferedCodec, ...OfferedCodec[]];
  /** Announced by `a=ssrc`; otherwise learned from the mid of its packets. */
  readonly ssrc: number | undefined;
  /** Payload types that are repeated, by those of their retransmissions (RFC 4588). @default none */
  readonly repeats?: ReadonlyMap<number, number>;
}

/** One published stream: its packets, its reports, and the requests that go back to its publisher. */
export class PublisherTrack {
  readonly id: string;
  readonly mid: string;
  readonly rid: string | undefined;
  readonly codecs: readonly OfferedCodec[];
  readonly #clock: Clock;
  readonly #localSsrc: number;
  readonly #sendRtcp: (compound: Uint8Array) => void;
  readonly #statistics = new ReceptionStatistics();
  readonly #cache = new PacketCache();
  readonly #missing = new MissingPackets();
  readonly #repeats: ReadonlyMap<number, number>;
  readonly #keyFrames: KeyFrameGate;
  #codec: OfferedCodec;
  #ssrc: number | undefined;
  #arrivedAtUs = Number.NEGATIVE_INFINITY;
  #ended = false;
  #keyFrameRequests = 0;
  #nackCount = 0;
  #retransmittedPacketsReceived = 0;
  #packetsRepaired = 0;

  constructor(spec: PublisherTrackSpec, clock: Clock, localSsrc: number, sendRtcp: (compound: Uint8Array) => void) {
    this.id = spec.id;
    this.mid = spec.mid;
    this.rid = spec.rid;
    this.codecs = spec.codecs;
    this.#codec = spec.codecs[0];
    this.#ssrc = spec.ssrc;
    this.#repeats = spec.repeats ?? new Map();
    this.#clock = clock;
    this.#localSsrc = localSsrc;
    this.#sendRtcp = sendRtcp;
    this.#keyFrames = new KeyFrameGate(clock, () => this.#requestNow());
  }

  /** That of the newest packet; before the first one, the publisher's first choice. */
  get codec(): OfferedCodec {
    return this.#codec;
  }

  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  /** Whether both are the same encoding of tracks of the same id. */
  isNamedLike({ id, rid }: PublisherTrack): boolean {
    return id === this.id && rid === this.rid;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether its publisher sends it now. */
  get isFlowing(): boolean {
    return this.#clock.nowUs() - this.#arrivedAtUs < FLOWING_US;
  }

  /** Key frame requests that were sent to the publisher. */
  get keyFrameRequests(): number {
    return this.#keyFrameRequests;
  }

  /** NACKs that were sent to the publisher. */
  get nackCount(): number {
    return this.#nackCount;
  }

  /** Packets that repeat others. */
  get retransmittedPacketsReceived(): number {
    return this.#retransmittedPacketsReceived;
  }

  /** Those of them that were missing. */
  get packetsRepaired(): number {
    return this.#packetsRepaired;
  }

  get statistics(): ReceptionStatistics {
    return this.#statistics;
  }

  /**
   * Takes a packet in, and asks the publisher for what is missing before it.
   * @returns whether it is of one of the codecs that were agreed to; any other is left alone
   */
  receive(packet: ReceivedRtp): boolean {
    const codec = this.codecs.find(({ payloadType }) => payloadType === packet.payloadType);
    if (codec === undefined) return false;
    this.#ssrc = packet.ssrc;
    this.#arrivedAtUs = this.#clock.nowUs();
    const { sequenceNumber, timestamp, payload } = packet;
    const step = this.#statistics.packet(sequenceNumber, timestamp, payload.length, this.#clock.nowUs());
    this.#cache.put(packet);
    this.#missing.arrived(sequenceNumber);
    if (step > 0) this.#codec = codec;
    this.#requestMissing(packet.ssrc, sequenceNumber, step - 1);
    return true;
  }

  /** Whether packets of this payload type repeat others of the track. */
  isRetransmission(payloadType: number): boolean {
    return this.#repeats.has(payloadType);
  }

  /**
   * The packet that a retransmission repeats, taken in, if it was missing or is ahead of all others; nothing for one that is there already, as the packets are
   * that publishers send again to try out a higher rate, and for padding.
   */
  restore(packet: ReceivedRtp): ReceivedRtp | undefined {
    this.#retransmittedPacketsReceived += 1;
    const sequenceNumber = readOriginalSequence(packet.payload);
    const payloadType = this.#repeats.get(packet.payloadType);
    if (sequenceNumber === undefined || payloadType === undefined || this.#ssrc === undefined) return undefined;
    if (!this.#missing.arrived(sequenceNumber) && !this.#isAhead(sequenceNumber)) return undefined;
    const payload = packet.payload.subarray(RTX_HEADER_BYTES);
    const restored = { ...packet, ssrc: this.#ssrc, payloadType, sequenceNumber, payload };
    this.#packetsRepaired += 1;
    this.#cache.put(restored);
    return restored;
  }

  cached(sequenceNumber: number): ReceivedRtp | undefined {
    return this.#cache.get(sequenceNumber);
  }

  /** Asks the publisher for a key frame; requests within 300 ms are coalesced. */
  requestKeyFrame(): void {
    this.#keyFrames.request();
  }

  senderReport(report: SenderReport): void {
    this.#statistics.senderReport(report, this.#clock.nowUs());
  }

  report(): ReportBlock | undefined {
    return this.#ssrc === undefined ? undefined : this.#statistics.report(this.#ssrc, this.#clock.nowUs());
  }

  close(): void {
    this.#ended = true;
    this.#keyFrames.close();
  }

  /** A packet that follows soon, and was lost before the next one could tell. */
  #isAhead(sequenceNumber: number): boolean {
    const { highestSequence } = this.#statistics;
    const step = highestSequence === undefined ? 0 : sequenceDistance(highestSequence, sequenceNumber);
    return step > 0 && step <= MAX_NACKED_GAP && this.#cache.get(sequenceNumber) === undefined;
  }

  /** Asks for the packets before this one, and once more for those that were asked for in vain. */
  #requestMissing(ssrc: number, sequenceNumber: number, count: number): void {
    const nowUs = this.#clock.nowUs();
    if (count > MAX_NACKED_GAP) {
      this.#missing.clear();
      this.requestKeyFrame();
      return;
    }
    const gap = Array.from({ length: Math.max(count, 0) }, (_, index) => (sequenceNumber - count + index) & 0xffff);
    const { again, lost } = this.#missing.due(nowUs);
    const fresh = gap.filter((number) => this.#cache.get(number) === undefined);
    const isTooMuch = this.#missing.add(fresh, nowUs);
    if (isTooMuch || lost) this.requestKeyFrame();
    const wanted = isTooMuch ? [] : [...again, ...fresh];
    if (wanted.length === 0) return;
    this.#nackCount += 1;
    this.#sendRtcp(writeNack(this.#localSsrc, ssrc, wanted));
  }

  #requestNow(): void {
    if (this.#ssrc === undefined) return;
    this.#keyFrameRequests += 1;
    this.#sendRtcp(writePli(this.#localSsrc, this.#ssrc));
  }
}
