import type { LockStats } from '../../concurrency/lock-stats.js';
import type { ScalabilityMode } from '../../encoder/temporal-layers.js';
import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { BitrateGrant } from '../tracks/track-host.js';
import { DROP_REASONS, type DropReason } from './frame-report.js';
import {
  type QualityLimitationDurations,
  type QualityLimitationReason,
  QualityLimitationTracker,
} from './quality-limitation.js';
import { RateMeter } from './rate-meter.js';
import type { TrackHealth } from './track-health.js';

/** What the receiver last reported about a track (W3C `remote-inbound-rtp`); absent until it reported. */
export interface RemoteInboundStats {
  /** When it came, in milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** Fraction lost since the previous report, 0-1. */
  readonly fractionLost: number;
  /** Packets lost since the start; may be negative with duplicates (RFC 3550 section 6.4.1). */
  readonly packetsLost: number;
  /** Interarrival jitter in seconds. */
  readonly jitter: number;
  /** Round-trip time in seconds, where the report allows to compute it. */
  readonly roundTripTime?: number;
  /** Sum of all round-trip times in seconds that were measured to this peer. */
  readonly totalRoundTripTime: number;
  /** How many they are. */
  readonly roundTripTimeMeasurements: number;
}

/**
 * Statistics of one track: W3C names (`outbound-rtp`, `media-source`, `remote-inbound-rtp`) where there is one; zero until seen. A frame of
 * audio is one packet's worth, 20 ms where it is encoded here, and always a key frame.
 *
 * Of a camera with several encodings: what is counted is the sum over them, but for `frames`; sizes, rates of frames and health are those of the one that is largest or
 * weighs most; everything else is that of the first, and `encodings` has each.
 */
export interface TrackStats {
  readonly trackId: string;
  /** Tells it from earlier tracks of its id; see `TrackHandle`. */
  readonly generation: number;
  readonly kind: 'video' | 'audio';
  readonly codec: RtpCodec;
  readonly ssrc: number;
  /** Of its m-line, and of its codec there; absent without a connection that takes the track, or the codec. */
  readonly mid?: string;
  readonly payloadType?: number;
  /** Of its retransmissions; absent where they were not agreed to as a stream of their own, and go by `ssrc`. */
  readonly rtxSsrc?: number;
  /** Whether the allocation has the track sent. */
  readonly active: boolean;
  /** Why the track has its target, or none; absent for audio, which takes its share off the top. */
  readonly allocationReason?: NonNullable<BitrateGrant['reason']>;
  readonly health: TrackHealth;
  /** Why the track was given up, while its health is `failed`. */
  readonly failure?: string;
  /** Name of the encoder in use; absent for pre-encoded tracks. */
  readonly encoderImplementation?: string;
  /** Its temporal layers, where they were asked for (W3C `scalabilityMode`). */
  readonly scalabilityMode?: ScalabilityMode;
  /** Width and height in pixels; absent for audio, and where they are unknown. */
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  /** Frames sent over the last second. */
  readonly framesPerSecond: number;
  /** Granted target in bits per second. */
  readonly targetBitrate: number;
  /** Encoded bits per second over the last second, without RTP headers. */
  readonly actualBitrate: number;
  /** Frames given to the sender (W3C `media-source.frames`). Always framesSent + every framesDropped + those in flight: at most two, of audio nine, and with
   * congestion control what waits to be sent, up to 250 ms. */
  readonly frames: number;
  readonly framesEncoded: number;
  readonly keyFramesEncoded: number;
  readonly framesSent: number;
  /** Dropped frames by reason. */
  readonly framesDropped: Readonly<Record<DropReason, number>>;
  /** Seconds spent encoding. */
  readonly totalEncodeTime: number;
  /** Payload bytes, retransmissions included, as in `packetsSent`. */
  readonly bytesSent: number;
  readonly packetsSent: number;
  /** RTP headers with their extensions. */
  readonly headerBytesSent: number;
  /** Answers to NACKs. */
  readonly retransmittedPacketsSent: number;
  /** Payload bytes. */
  readonly retransmittedBytesSent: number;
  /** Sent to try out a higher rate: padding, or payloads that nobody had asked for again; not among `bytesSent`. There is no W3C name for it. */
  readonly paddingBytesSent: number;
  readonly nackCount: number;
  readonly pliCount: number;
  readonly firCount: number;
  /** Encoder swaps since the track was added. */
  readonly encoderSwaps: number;
  /** Failed encodes since the track was added. */
  readonly encoderErrors: number;
  readonly qualityLimitationReason: QualityLimitationReason;
  readonly qualityLimitationDurations: QualityLimitationDurations;
  /** How often the picture was scaled down or up to suit the target. */
  readonly qualityLimitationResolutionChanges: number;
  readonly remoteInbound?: RemoteInboundStats;
  /** Waiting and holding of the track's encoder lock; absent for pre-encoded tracks, and where each encoding has its own. */
  readonly encoderMu?: LockStats;
  /** Of a camera with several, in the order in which they were given; each has `frames` of its own, with which its own counts add up. */
  readonly encodings?: readonly EncodingStats[];
}

/** Statistics of one encoding of a camera, as {@link TrackStats} has them. */
export interface EncodingStats extends Omit<TrackStats, 'encodings'> {
  readonly rid: string;
  /** Its place among the encodings of the camera (W3C `encodingIndex`). */
  readonly encodingIndex: number;
}

/** The counters of one track. Owner: the track; written by its encode loop and by the feedback router, synchronously. */
export class TrackCounters {
  frames = 0;
  framesEncoded = 0;
  keyFramesEncoded = 0;
  framesSent = 0;
  totalEncodeTimeUs = 0;
  nackCount = 0;
  pliCount = 0;
  firCount = 0;
  encoderSwaps = 0;
  encoderErrors = 0;
  resolutionChanges = 0;
  readonly framesDropped: Record<DropReason, number>;
  readonly encodedRate = new RateMeter();
  readonly sentFrames = new RateMeter();
  readonly limitation: QualityLimitationTracker;

  constructor(nowUs: number) {
    this.limitation = new QualityLimitationTracker(nowUs);
    this.framesDropped = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>;
  }

  frameDropped(reason: DropReason, nowUs: number): void {
    this.framesDropped[reason] += 1;
    if (reason === 'replaced') this.limitation.frameReplaced(nowUs);
    if (reason === 'rate-control' || reason === 'congestion') this.limitation.frameSkipped(nowUs);
  }

  frameEncoded(type: 'key' | 'delta', sizeBytes: number, encodeTimeUs: number, nowUs: number): void {
    this.framesEncoded += 1;
    if (type === 'key') this.keyFramesEncoded += 1;
    this.totalEncodeTimeUs += encodeTimeUs;
    this.encodedRate.add(sizeBytes * 8, nowUs);
  }

  frameSent(nowUs: number): void {
    this.framesSent += 1;
    this.sentFrames.add(1, nowUs);
  }
}
