import type { EventQueueStats } from '../../concurrency/event-queue.js';
import type { LockStats } from '../../concurrency/lock-stats.js';
import type { TransportState, TransportStats } from '../../transport/media-transport.js';
import type { BitrateAllocation } from '../allocation/allocation.js';
import type { CongestionStats } from '../outbound/congestion-driver.js';
import type { FeedbackStats } from '../outbound/feedback-router.js';
import type { SenderEvents } from '../sender-events.js';
import type { Track, TrackStream } from '../tracks/track.js';
import { streamStats, sumOfStreams } from './stream-stats.js';
import type { EncodingStats, TrackStats } from './track-stats.js';

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

/** What the video tracks of a sender have of its target; a fresh object each time. */
export interface SenderGrants {
  /** As {@link SenderStats.targetBitrate}. */
  readonly targetBps: number;
  /** In the order in which they were added. */
  readonly tracks: readonly {
    readonly trackId: string;
    /** Bits per second; 0 while it is paused. */
    readonly targetBps: number;
    readonly paused: boolean;
    readonly reason: NonNullable<TrackStats['allocationReason']>;
    /** Of a camera with several encodings, in the order in which they were given: what each has of it. */
    readonly encodings?: readonly EncodingGrant[];
  }[];
}

/** What an encoding has of what its camera has. */
export interface EncodingGrant {
  readonly rid: string;
  /** Bits per second; 0 while it is paused. */
  readonly targetBps: number;
  readonly paused: boolean;
  /** Where the whole camera is paused, that of the camera. */
  readonly reason: NonNullable<TrackStats['allocationReason']>;
}

/** What the encodings of a track are granted; nothing of one that has but one stream. */
export function encodingGrants({ streams }: Pick<Track, 'streams'>): readonly EncodingGrant[] {
  const all: readonly TrackStream[] = streams;
  return all.flatMap(({ rid, targetBps, paused, allocationReason: reason = 'weight' }) =>
    rid === undefined ? [] : [{ rid, targetBps, paused, reason }],
  );
}

/** The statistics of one track. */
export function trackStats(track: Track, nowUs: number): TrackStats {
  const [first, ...others] = track.streams.map((stream) => streamStats(stream, nowUs));
  if (first === undefined) throw new Error(`track "${track.id}" has no stream`);
  const encodings = track.streams.flatMap(({ rid }, encodingIndex): readonly EncodingStats[] => {
    const stats = [first, ...others][encodingIndex];
    return rid === undefined || stats === undefined ? [] : [{ ...stats, rid, encodingIndex }];
  });
  const total = sumOfStreams(first, ...others);
  if (encodings.length === 0) return total;
  const { allocationReason, failure } = track;
  return {
    ...total,
    health: track.health(nowUs),
    ...(failure === undefined ? {} : { failure }),
    ...(allocationReason === undefined ? {} : { allocationReason }),
    encodings,
  };
}
