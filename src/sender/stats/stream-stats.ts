import type { TrackStream } from '../tracks/track.js';
import { DROP_REASONS } from './frame-report.js';
import type { TrackStats } from './track-stats.js';

/** What {@link TrackStats} has of a single stream. */
export type StreamStats = Omit<TrackStats, 'encodings'>;

/** The statistics of what is sent as one stream. */
export function streamStats(stream: TrackStream, nowUs: number): StreamStats {
  const { counters, frameSize, rtp } = stream;
  const { packetsSent, bytesSent, headerBytesSent, paddingBytesSent } = rtp.counts;
  const { retransmittedPacketsSent, retransmittedBytesSent } = rtp.counts;
  return {
    trackId: stream.id,
    generation: stream.handle.generation,
    kind: stream.media,
    codec: stream.codec,
    ssrc: rtp.ssrc,
    ...rtp.agreed,
    ...(rtp.agreedRtxSsrc === undefined ? {} : { rtxSsrc: rtp.agreedRtxSsrc }),
    active: !stream.paused,
    ...(stream.allocationReason === undefined ? {} : { allocationReason: stream.allocationReason }),
    health: stream.health(nowUs),
    ...(stream.failure === undefined ? {} : { failure: stream.failure }),
    ...(stream.encoderImplementation === undefined ? {} : { encoderImplementation: stream.encoderImplementation }),
    ...(stream.scalabilityMode === undefined ? {} : { scalabilityMode: stream.scalabilityMode }),
    ...(frameSize === undefined ? {} : { frameWidth: frameSize.width, frameHeight: frameSize.height }),
    framesPerSecond: counters.sentFrames.perSecond(nowUs),
    targetBitrate: stream.targetBps,
    actualBitrate: counters.encodedRate.perSecond(nowUs),
    frames: counters.frames,
    framesEncoded: counters.framesEncoded,
    keyFramesEncoded: counters.keyFramesEncoded,
    framesSent: counters.framesSent,
    framesDropped: { ...counters.framesDropped },
    totalEncodeTime: counters.totalEncodeTimeUs / 1e6,
    bytesSent,
    packetsSent,
    headerBytesSent,
    retransmittedPacketsSent,
    retransmittedBytesSent,
    paddingBytesSent,
    nackCount: counters.nackCount,
    pliCount: counters.pliCount,
    firCount: counters.firCount,
    encoderSwaps: counters.encoderSwaps,
    encoderErrors: counters.encoderErrors,
    qualityLimitationReason: counters.limitation.reason(nowUs),
    qualityLimitationDurations: counters.limitation.durations(nowUs),
    qualityLimitationResolutionChanges: counters.resolutionChanges,
    ...(rtp.remoteInbound === undefined ? {} : { remoteInbound: rtp.remoteInbound }),
    ...(stream.kind === 'raw' ? { encoderMu: stream.encoderMu.stats() } : {}),
  };
}

/**
 * The statistics of several streams of one track together: see {@link TrackStats}. Those of one are its own.
 */
export function sumOfStreams(first: StreamStats, ...others: readonly StreamStats[]): StreamStats {
  return others.reduce(sumOfTwo, first);
}

function sumOfTwo(a: StreamStats, b: StreamStats): StreamStats {
  const { encoderMu: _ofOne, ...rest } = a;
  const larger = (b.frameWidth ?? 0) > (a.frameWidth ?? 0) ? b : a;
  const { frameWidth, frameHeight } = larger;
  return {
    ...rest,
    ...(frameWidth === undefined || frameHeight === undefined ? {} : { frameWidth, frameHeight }),
    active: a.active || b.active,
    framesPerSecond: Math.max(a.framesPerSecond, b.framesPerSecond),
    targetBitrate: a.targetBitrate + b.targetBitrate,
    actualBitrate: a.actualBitrate + b.actualBitrate,
    framesEncoded: a.framesEncoded + b.framesEncoded,
    keyFramesEncoded: a.keyFramesEncoded + b.keyFramesEncoded,
    framesSent: a.framesSent + b.framesSent,
    framesDropped: sumOfDrops(a.framesDropped, b.framesDropped),
    totalEncodeTime: a.totalEncodeTime + b.totalEncodeTime,
    bytesSent: a.bytesSent + b.bytesSent,
    packetsSent: a.packetsSent + b.packetsSent,
    headerBytesSent: a.headerBytesSent + b.headerBytesSent,
    retransmittedPacketsSent: a.retransmittedPacketsSent + b.retransmittedPacketsSent,
    retransmittedBytesSent: a.retransmittedBytesSent + b.retransmittedBytesSent,
    paddingBytesSent: a.paddingBytesSent + b.paddingBytesSent,
    nackCount: a.nackCount + b.nackCount,
    pliCount: a.pliCount + b.pliCount,
    firCount: a.firCount + b.firCount,
    encoderSwaps: a.encoderSwaps + b.encoderSwaps,
    encoderErrors: a.encoderErrors + b.encoderErrors,
    qualityLimitationResolutionChanges: a.qualityLimitationResolutionChanges + b.qualityLimitationResolutionChanges,
  };
}

function sumOfDrops(a: StreamStats['framesDropped'], b: StreamStats['framesDropped']): StreamStats['framesDropped'] {
  const sum = { ...a };
  for (const reason of DROP_REASONS) sum[reason] += b[reason];
  return sum;
}
