import { RTP_CODECS, type RtpCodec } from '../../rtp/rtp-codec.js';
import type { TransportStats } from '../../transport/media-transport.js';
import type { SenderStats } from './sender-stats.js';
import type { EncodingStats, TrackStats } from './track-stats.js';
import type {
  CandidateStats,
  CodecStats,
  MediaSourceStats,
  OutboundRtpStats,
  RemoteInboundRtpStats,
  StatsEntry,
  StatsReport,
} from './w3c-stats.js';

const TRANSPORT_ID = 'transport';
const PAIR_ID = 'candidate-pair';
/** As `host udp 192.0.2.1:5000` or `relay udp [2001:db8::1]:5000`, the form of `TransportStats`. */
const CANDIDATE = /^(\S+) (\S+) \[?([^\]\s]+?)\]?:(\d+)$/;
const ENCODING_NAMES: Readonly<Record<RtpCodec, string>> = {
  vp8: 'VP8',
  vp9: 'VP9',
  h264: 'H264',
  av1: 'AV1',
  opus: 'opus',
};
/** Opus is announced as stereo, whatever is sent (RFC 7587 section 7). */
const OPUS_CHANNELS = 2;

/** The statistics of a sender as W3C's Identifiers for WebRTC's Statistics API names and links them. Pure. */
export function statsReport(stats: SenderStats): StatsReport {
  const timestamp = stats.timestamp / 1000;
  const { transport } = stats;
  const entries: StatsEntry[] = stats.tracks.flatMap((track) => {
    const source = mediaSourceOf(track, timestamp);
    const streams: readonly StreamEntry[] = track.encodings ?? [track];
    return [source, ...streams.flatMap((stream) => entriesOf(stream, source, transport !== undefined, timestamp))];
  });
  if (transport !== undefined) entries.push(...transportEntries(transport, stats, timestamp));
  // Tracks that share a payload type share its entry.
  return new Map(entries.map((entry) => [entry.id, entry]));
}

/** A track that is one stream, or an encoding of one that is several. */
type StreamEntry = Omit<TrackStats, 'encodings'> & Partial<Pick<EncodingStats, 'rid' | 'encodingIndex'>>;

function entriesOf(
  stream: StreamEntry,
  source: MediaSourceStats,
  isConnected: boolean,
  timestamp: number,
): readonly StatsEntry[] {
  // Without a connection there is nothing to link to.
  const codec = isConnected ? codecOf(stream, timestamp) : undefined;
  const remote = remoteInboundOf(stream, codec);
  const outbound = outboundOf(stream, { codec, remote, source }, timestamp);
  return [outbound, ...(codec === undefined ? [] : [codec]), ...(remote === undefined ? [] : [remote])];
}

function mediaSourceOf(track: TrackStats, timestamp: number): MediaSourceStats {
  const { trackId: trackIdentifier, generation, kind, frames, frameWidth: width, frameHeight: height } = track;
  const source = { type: 'media-source', id: `media-source/${generation}`, timestamp, trackIdentifier, kind } as const;
  if (kind === 'audio') return source;
  return { ...source, frames, ...(width === undefined || height === undefined ? {} : { width, height }) };
}

function codecOf({ codec, kind, payloadType }: StreamEntry, timestamp: number): CodecStats | undefined {
  if (payloadType === undefined) return undefined;
  return {
    type: 'codec',
    id: `codec/${payloadType}/${codec}`,
    timestamp,
    transportId: TRANSPORT_ID,
    payloadType,
    mimeType: `${kind}/${ENCODING_NAMES[codec]}`,
    clockRate: RTP_CODECS[codec].clockRate,
    ...(kind === 'audio' ? { channels: OPUS_CHANNELS } : {}),
  };
}

function outboundOf(track: StreamEntry, { codec, remote, source }: Related, timestamp: number): OutboundRtpStats {
  const { mid, rtxSsrc, rid, encodingIndex } = track;
  return {
    type: 'outbound-rtp',
    id: outboundId(track),
    timestamp,
    ssrc: track.ssrc,
    kind: track.kind,
    ...linksOf(codec),
    ...(mid === undefined ? {} : { mid }),
    mediaSourceId: source.id,
    ...(rid === undefined ? {} : { rid }),
    ...(encodingIndex === undefined ? {} : { encodingIndex }),
    ...(remote === undefined ? {} : { remoteId: remote.id }),
    ...(rtxSsrc === undefined ? {} : { rtxSsrc }),
    active: track.active,
    packetsSent: track.packetsSent,
    bytesSent: track.bytesSent,
    headerBytesSent: track.headerBytesSent,
    retransmittedPacketsSent: track.retransmittedPacketsSent,
    retransmittedBytesSent: track.retransmittedBytesSent,
    targetBitrate: track.targetBitrate,
    nackCount: track.nackCount,
    ...(track.kind === 'video' ? picturesOf(track) : {}),
  };
}

/** What only pictures have. */
function picturesOf(track: StreamEntry): Partial<OutboundRtpStats> {
  const { frameWidth, frameHeight, encoderImplementation, scalabilityMode } = track;
  return {
    framesEncoded: track.framesEncoded,
    keyFramesEncoded: track.keyFramesEncoded,
    framesSent: track.framesSent,
    framesPerSecond: track.framesPerSecond,
    ...(frameWidth === undefined || frameHeight === undefined ? {} : { frameWidth, frameHeight }),
    totalEncodeTime: track.totalEncodeTime,
    pliCount: track.pliCount,
    firCount: track.firCount,
    ...(encoderImplementation === undefined ? {} : { encoderImplementation }),
    ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
    qualityLimitationReason: track.qualityLimitationReason,
    qualityLimitationDurations: track.qualityLimitationDurations,
    qualityLimitationResolutionChanges: track.qualityLimitationResolutionChanges,
  };
}

function remoteInboundOf(track: StreamEntry, codec: CodecStats | undefined): RemoteInboundRtpStats | undefined {
  const { ssrc, kind, remoteInbound } = track;
  if (remoteInbound === undefined) return undefined;
  const id = `remote-inbound-rtp/${ssrc}`;
  const localId = outboundId(track);
  return { type: 'remote-inbound-rtp', id, ssrc, kind, ...linksOf(codec), localId, ...remoteInbound };
}

function transportEntries(
  transport: TransportStats,
  { congestion }: SenderStats,
  timestamp: number,
): readonly StatsEntry[] {
  const { packetsSent, packetsReceived, bytesSent, bytesReceived, iceState, dtlsState } = transport;
  const local = candidateOf('local-candidate', transport.selectedLocalCandidate, timestamp);
  const remote = candidateOf('remote-candidate', transport.selectedRemoteCandidate, timestamp);
  const hasPair = local !== undefined && remote !== undefined;
  const entry: StatsEntry = {
    type: 'transport',
    id: TRANSPORT_ID,
    timestamp,
    packetsSent,
    packetsReceived,
    bytesSent,
    bytesReceived,
    iceRole: 'controlling',
    iceState,
    dtlsRole: 'client',
    dtlsState,
    ...(hasPair ? { selectedCandidatePairId: PAIR_ID } : {}),
  };
  if (!hasPair) return [entry];
  const pair: StatsEntry = {
    type: 'candidate-pair',
    id: PAIR_ID,
    timestamp,
    transportId: TRANSPORT_ID,
    localCandidateId: local.id,
    remoteCandidateId: remote.id,
    state: 'succeeded',
    nominated: true,
    ...(congestion === undefined ? {} : { availableOutgoingBitrate: congestion.targetBps }),
  };
  return [entry, pair, local, remote];
}

function candidateOf(
  type: CandidateStats['type'],
  shown: string | undefined,
  timestamp: number,
): CandidateStats | undefined {
  const [, candidateType, protocol, address, port] = CANDIDATE.exec(shown ?? '') ?? [];
  if (candidateType === undefined || protocol === undefined || address === undefined) return undefined;
  return {
    type,
    id: type,
    timestamp,
    transportId: TRANSPORT_ID,
    address,
    port: Number(port),
    protocol,
    candidateType,
  };
}

/** Entries that one of `outbound-rtp` tells of. */
interface Related {
  readonly codec: CodecStats | undefined;
  readonly remote: RemoteInboundRtpStats | undefined;
  readonly source: MediaSourceStats;
}

function outboundId({ ssrc }: StreamEntry): string {
  return `outbound-rtp/${ssrc}`;
}

function linksOf(codec: CodecStats | undefined): { readonly transportId?: string; readonly codecId?: string } {
  return codec === undefined ? {} : { transportId: codec.transportId, codecId: codec.id };
}
