import type { EventQueueStats } from '../concurrency/event-queue.js';
import type { LockStats } from '../concurrency/lock-stats.js';
import type { TransportState, TransportStats } from '../transport/media-transport.js';
import type { BitrateAllocation } from './allocation.js';
import type { CongestionStats } from './congestion-driver.js';
import type { FeedbackStats } from './feedback-router.js';
import type { SenderEvents } from './sender-events.js';
import type { Track } from './track.js';
import type { TrackStats } from './track-stats.js';

/** A snapshot of a sender; a fresh object each time. */
export interface SenderStats {
  /** Microseconds on the time base of `Clock.nowUs`. */
  readonly timestamp: number;
  readonly state: TransportState;
  /** Whether it is connected and every active track with input is encoding. */
  readonly healthy: boolean;
  /** Target that is divided among the tracks, bits per second: what may be used, or what the network carries if that is less. */
  readonly targetBitrate: number;
  readonly allocation: BitrateAllocation;
  readonly tracks: readonly TrackStats[];
  /** Absent without a connection. */
  readonly transport?: TransportStats;
  /**
   * What came after the end of what it belonged to and was dropped, by kind; kinds with none are absent. `frame` counts the frames that came out
   * of an encoder after their track had been given up, which no event reports; docs/guarantees.md lists the others.
   */
  readonly lateCompletions: Readonly<Record<string, number>>;
  /** How the network limits the sender; absent without congestion control, and before the first packet of a connection. */
  readonly congestion?: CongestionStats;
  readonly feedback: FeedbackStats;
  readonly events: EventQueueStats<SenderEvents>;
  readonly tracksMu: LockStats;
}

/** The statistics of one track. */
export function trackStats(track: Track, nowUs: number): TrackStats {
  const { counters, frameSize, rtp } = track;
  const { packetsSent, bytesSent, headerBytesSent, paddingBytesSent } = rtp.counts;
  const { retransmittedPacketsSent, retransmittedBytesSent } = rtp.counts;
  return {
    trackId: track.id,
    generation: track.handle.generation,
    kind: track.media,
    codec: track.codec,
    ssrc: rtp.ssrc,
    ...rtp.agreed,
    ...(rtp.agreedRtxSsrc === undefined ? {} : { rtxSsrc: rtp.agreedRtxSsrc }),
    active: !track.paused,
    ...(track.allocationReason === undefined ? {} : { allocationReason: track.allocationReason }),
    health: track.health(nowUs),
    ...(track.failure === undefined ? {} : { failure: track.failure }),
    ...(track.encoderImplementation === undefined ? {} : { encoderImplementation: track.encoderImplementation }),
    ...(frameSize === undefined ? {} : { frameWidth: frameSize.width, frameHeight: frameSize.height }),
    framesPerSecond: counters.sentFrames.perSecond(nowUs),
    targetBitrate: track.targetBps,
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
    ...(track.kind === 'raw' ? { encoderMu: track.encoderMu.stats() } : {}),
  };
}
