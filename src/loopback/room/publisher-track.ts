import type { Clock } from '../../core/clock.js';
import type { ReportBlock, SenderReport } from '../../rtp/rtcp-packet.js';
import { writeNack, writePli } from '../../rtp/rtcp-write.js';
import { KeyFrameGate } from '../media/key-frame-gate.js';
import type { ReceivedRtp } from '../media/media-link.js';
import { PacketCache } from '../media/packet-cache.js';
import { ReceptionStatistics } from '../media/reception-statistics.js';
import type { OfferedCodec } from '../sdp/sdp-offer.js';

/** A larger gap is not repaired by retransmission but by a key frame. */
const MAX_NACKED_GAP = 64;

/** What a published track is, from the offer. */
export interface PublisherTrackSpec {
  /** Track id of `a=msid`, or the mid. */
  readonly id: string;
  readonly mid: string;
  /** The codecs that were agreed to, at least one, in the publisher's order of preference; it may change from one to another at any time. */
  readonly codecs: readonly [OfferedCodec, ...OfferedCodec[]];
  /** Announced by `a=ssrc`; otherwise learned from the mid of its packets. */
  readonly ssrc: number | undefined;
}

/** One published track: its packets, its reports, and the requests that go back to its publisher. */
export class PublisherTrack {
  readonly id: string;
  readonly mid: string;
  readonly codecs: readonly OfferedCodec[];
  readonly #clock: Clock;
  readonly #localSsrc: number;
  readonly #sendRtcp: (compound: Uint8Array) => void;
  readonly #statistics = new ReceptionStatistics();
  readonly #cache = new PacketCache();
  readonly #keyFrames: KeyFrameGate;
  #codec: OfferedCodec;
  #ssrc: number | undefined;
  #keyFrameRequests = 0;

  constructor(spec: PublisherTrackSpec, clock: Clock, localSsrc: number, sendRtcp: (compound: Uint8Array) => void) {
    this.id = spec.id;
    this.mid = spec.mid;
    this.codecs = spec.codecs;
    this.#codec = spec.codecs[0];
    this.#ssrc = spec.ssrc;
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

  /** Key frame requests that were sent to the publisher. */
  get keyFrameRequests(): number {
    return this.#keyFrameRequests;
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
    const { sequenceNumber, timestamp, payload } = packet;
    const step = this.#statistics.packet(sequenceNumber, timestamp, payload.length, this.#clock.nowUs());
    this.#cache.put(packet);
    if (step > 0) this.#codec = codec;
    if (step > MAX_NACKED_GAP) this.requestKeyFrame();
    else if (step > 1) this.#requestMissing(packet.ssrc, sequenceNumber, step - 1);
    return true;
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
    this.#keyFrames.close();
  }

  #requestMissing(ssrc: number, sequenceNumber: number, count: number): void {
    const missing = Array.from({ length: count }, (_, index) => (sequenceNumber - count + index) & 0xffff);
    this.#sendRtcp(writeNack(this.#localSsrc, ssrc, missing));
  }

  #requestNow(): void {
    if (this.#ssrc === undefined) return;
    this.#keyFrameRequests += 1;
    this.#sendRtcp(writePli(this.#localSsrc, this.#ssrc));
  }
}
