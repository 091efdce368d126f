import type { ReceiverReport } from '../../congestion/report-based-rate.js';
import type { Clock } from '../../core/clock.js';
import type { ReportBlock } from '../../rtp/rtcp-packet.js';
import { parseRtcp } from '../../rtp/rtcp-parse.js';
import { parseTransportFeedback, type TransportFeedback } from '../../rtp/transport-cc.js';
import type { TrackStream } from '../tracks/track.js';
import type { KeyFramePacer } from './key-frame-pacer.js';

/** Requesters and streams whose FIR numbers are remembered; beyond it the longest known is forgotten. */
const MAX_FIR_SOURCES = 256;

/** What came back from the peer, counted. */
export interface FeedbackStats {
  readonly compoundsReceived: number;
  /** Compounds with a malformed packet; what stood before it was used. */
  readonly compoundsMalformed: number;
  /** Feedback for an SSRC that is not (or no longer) ours. */
  readonly unknownSsrc: number;
  /** Transport-wide feedback that was cut short or makes no sense; nothing of it was used. */
  readonly transportFeedbackMalformed: number;
}

/** Hears of what receivers say about the network. */
export interface NetworkFeedback {
  feedback(message: TransportFeedback): void;
  /** Of the streams of one report, the worst. */
  receiverReport(report: ReceiverReport): void;
  /** In bits per second. */
  receiverLimit(bps: number): void;
}

/**
 * Takes RTCP from the peer apart and hands each piece to its stream: PLI and FIR latch a key frame, NACK asks for packets again, receiver
 * reports feed the statistics, transport-wide feedback and REMB go to the congestion control.
 *
 * Owner: the sender. Called synchronously in the transport's receive path: it only latches, counts and resends.
 */
export class FeedbackRouter {
  readonly #clock: Clock;
  readonly #network: NetworkFeedback;
  readonly #findStream: (ssrc: number) => TrackStream | undefined;
  /** Last FIR sequence number per requester and stream: a repetition is not a new request (RFC 5104 section 4.3.1.1). */
  readonly #lastFir = new Map<string, number>();
  readonly #keyFrames: KeyFramePacer;
  #compoundsReceived = 0;
  #compoundsMalformed = 0;
  #unknownSsrc = 0;
  #transportFeedbackMalformed = 0;

  constructor(init: {
    readonly clock: Clock;
    readonly network: NetworkFeedback;
    readonly keyFrames: KeyFramePacer;
    readonly findStream: (ssrc: number) => TrackStream | undefined;
  }) {
    this.#clock = init.clock;
    this.#network = init.network;
    this.#keyFrames = init.keyFrames;
    this.#findStream = init.findStream;
  }

  get stats(): FeedbackStats {
    return {
      compoundsReceived: this.#compoundsReceived,
      compoundsMalformed: this.#compoundsMalformed,
      unknownSsrc: this.#unknownSsrc,
      transportFeedbackMalformed: this.#transportFeedbackMalformed,
    };
  }

  /** A new peer: its FIR numbers start anew. */
  reset(): void {
    this.#lastFir.clear();
  }

  receive(compound: Uint8Array): void {
    this.#compoundsReceived += 1;
    const { packets, malformed } = parseRtcp(compound);
    if (malformed !== undefined) this.#compoundsMalformed += 1;
    for (const packet of packets) {
      switch (packet.kind) {
        case 'pli':
          this.#pictureLost(packet.mediaSsrc);
          break;
        case 'fir':
          for (const entry of packet.entries) this.#fullIntra(packet.senderSsrc, entry.ssrc, entry.sequenceNumber);
          break;
        case 'nack':
          this.#packetsLost(packet.mediaSsrc, packet.lost);
          break;
        case 'receiver-report':
        case 'sender-report':
          this.#reported(packet.reports);
          break;
        case 'transport-cc': {
          const feedback = parseTransportFeedback(packet.fci);
          if (feedback === undefined) this.#transportFeedbackMalformed += 1;
          else this.#network.feedback(feedback);
          break;
        }
        case 'remb':
          this.#network.receiverLimit(packet.bitrateBps);
          break;
        case 'bye':
          // A receiver that leaves is told of by signalling, or by the transport.
          break;
      }
    }
  }

  #pictureLost(ssrc: number): void {
    const stream = this.#find(ssrc);
    if (stream === undefined) return;
    stream.counters.pliCount += 1;
    this.#keyFrames.request(stream, this.#clock.nowUs());
  }

  #fullIntra(senderSsrc: number, ssrc: number, sequenceNumber: number): void {
    const stream = this.#find(ssrc);
    if (stream === undefined) return;
    const key = `${senderSsrc}/${ssrc}`;
    if (this.#lastFir.get(key) === sequenceNumber) return;
    this.#lastFir.set(key, sequenceNumber);
    const [longestKnown] = this.#lastFir.keys();
    if (this.#lastFir.size > MAX_FIR_SOURCES && longestKnown !== undefined) this.#lastFir.delete(longestKnown);
    stream.counters.firCount += 1;
    this.#keyFrames.request(stream, this.#clock.nowUs());
  }

  #packetsLost(ssrc: number, lost: readonly number[]): void {
    const stream = this.#find(ssrc);
    // What is lost of retransmissions has numbers of its own; whoever misses media asks for that.
    if (stream?.rtp.ssrc !== ssrc) return;
    stream.counters.nackCount += 1;
    stream.rtp.resend(lost);
  }

  #reported(blocks: readonly ReportBlock[]): void {
    let worst: ReceiverReport | undefined;
    for (const block of blocks) {
      const rtp = this.#find(block.ssrc)?.rtp;
      // Loss and jitter of retransmissions tell nothing of the media.
      if (rtp?.ssrc !== block.ssrc) continue;
      rtp.receiverReported(block, this.#clock.wallUs());
      const rttUs = rtp.remoteInbound?.roundTripTime === undefined ? undefined : rtp.remoteInbound.roundTripTime * 1e6;
      worst = { lossShare: Math.max(worst?.lossShare ?? 0, block.fractionLost / 256), rttUs: rttUs ?? worst?.rttUs };
    }
    if (worst !== undefined) this.#network.receiverReport(worst);
  }

  #find(ssrc: number): TrackStream | undefined {
    const stream = this.#findStream(ssrc);
    if (stream === undefined) this.#unknownSsrc += 1;
    return stream;
  }
}
