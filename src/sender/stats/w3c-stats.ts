import type { ScalabilityMode } from '../../encoder/temporal-layers.js';
import type { QualityLimitationDurations, QualityLimitationReason } from './quality-limitation.js';

/** What every entry of a {@link StatsReport} has (W3C `RTCStats`). */
interface StatsEntryBase<Type extends string> {
  readonly type: Type;
  /** The key of the entry; the same in all reports of a sender, for the same thing. */
  readonly id: string;
  /** Milliseconds since the Unix epoch: of the snapshot, and of what a receiver reports when that came. */
  readonly timestamp: number;
}

/** W3C `RTCCodecStats`: a payload type of the connection that is in use. */
export interface CodecStats extends StatsEntryBase<'codec'> {
  readonly payloadType: number;
  readonly transportId: string;
  /** As `video/VP8`. */
  readonly mimeType: string;
  /** Hz. */
  readonly clockRate: number;
  /** Of audio. */
  readonly channels?: number;
}

/** W3C `RTCVideoSourceStats` and `RTCAudioSourceStats`: what the application gives to a track. */
export interface MediaSourceStats extends StatsEntryBase<'media-source'> {
  /** The id of the track. */
  readonly trackIdentifier: string;
  readonly kind: 'video' | 'audio';
  /** Pictures only, in pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Pictures only. */
  readonly frames?: number;
}

/** What both sides of a stream have (W3C `RTCRtpStreamStats`). */
interface StreamStats {
  readonly ssrc: number;
  readonly kind: 'video' | 'audio';
  /** These two are absent without a connection that takes the track. */
  readonly transportId?: string;
  readonly codecId?: string;
}

/** W3C `RTCOutboundRtpStreamStats`: what is sent of a track. Counts of frames and pictures are those of video. */
export interface OutboundRtpStats extends StatsEntryBase<'outbound-rtp'>, StreamStats {
  readonly mid?: string;
  readonly mediaSourceId: string;
  /** Of a camera with several encodings: the name of this one, and its place among them. */
  readonly rid?: string;
  readonly encodingIndex?: number;
  /** The entry of what the receiver reports; absent until it has. */
  readonly remoteId?: string;
  readonly rtxSsrc?: number;
  readonly active: boolean;
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly headerBytesSent: number;
  readonly retransmittedPacketsSent: number;
  readonly retransmittedBytesSent: number;
  /** Bits per second. */
  readonly targetBitrate: number;
  readonly nackCount: number;
  readonly framesEncoded?: number;
  readonly keyFramesEncoded?: number;
  readonly framesSent?: number;
  readonly framesPerSecond?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  /** Seconds. */
  readonly totalEncodeTime?: number;
  readonly pliCount?: number;
  readonly firCount?: number;
  readonly encoderImplementation?: string;
  /** Where temporal layers were asked for. */
  readonly scalabilityMode?: ScalabilityMode;
  readonly qualityLimitationReason?: QualityLimitationReason;
  readonly qualityLimitationDurations?: QualityLimitationDurations;
  readonly qualityLimitationResolutionChanges?: number;
}

/** W3C `RTCRemoteInboundRtpStreamStats`: what the receiver reports of a track. */
export interface RemoteInboundRtpStats extends StatsEntryBase<'remote-inbound-rtp'>, StreamStats {
  /** The entry of what is sent. */
  readonly localId: string;
  /** May be negative with duplicates (RFC 3550 section 6.4.1). */
  readonly packetsLost: number;
  /** 0-1. */
  readonly fractionLost: number;
  /** Seconds. */
  readonly jitter: number;
  /** Seconds; absent until it was measured. */
  readonly roundTripTime?: number;
  /** Seconds. */
  readonly totalRoundTripTime: number;
  readonly roundTripTimeMeasurements: number;
}

/** W3C `RTCTransportStats`. */
export interface TransportEntry extends StatsEntryBase<'transport'> {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly iceRole: 'controlling';
  readonly iceState: string;
  readonly dtlsRole: 'client';
  readonly dtlsState: string;
  /** Absent until a pair is nominated. */
  readonly selectedCandidatePairId?: string;
}

/** W3C `RTCIceCandidatePairStats`, of the nominated pair. */
export interface CandidatePairStats extends StatsEntryBase<'candidate-pair'> {
  readonly transportId: string;
  readonly localCandidateId: string;
  readonly remoteCandidateId: string;
  readonly state: 'succeeded';
  readonly nominated: true;
  /** Bits per second; absent without congestion control. */
  readonly availableOutgoingBitrate?: number;
}

/** W3C `RTCIceCandidateStats`. */
export interface CandidateStats extends StatsEntryBase<'local-candidate' | 'remote-candidate'> {
  readonly transportId: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly candidateType: string;
}

/** An entry of a {@link StatsReport}, told apart by its `type`. */
export type StatsEntry =
  | CodecStats
  | MediaSourceStats
  | OutboundRtpStats
  | RemoteInboundRtpStats
  | TransportEntry
  | CandidatePairStats
  | CandidateStats;

/**
 * A snapshot by id, like the `RTCStatsReport` of a browser, with the names of W3C's Identifiers for WebRTC's Statistics API. Ids of other entries are fields
 * whose names end in `Id`; the entry is in the same report.
 */
export type StatsReport = ReadonlyMap<string, StatsEntry>;
