import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import type { AllocationReason } from '../../congestion/allocator/allocator.js';
import type { LayerAllocation, LayerReason } from '../../congestion/allocator/layer-division.js';
import type { Clock } from '../../core/clock.js';
import type { KeyFramePacer } from '../outbound/key-frame-pacer.js';
import type { EncodedFrameReport, FrameReport } from '../stats/frame-report.js';

/** What a track needs from its sender. */
export interface TrackHost {
  readonly clock: Clock;
  frameReported(report: FrameReport): void;
  frameEncoded(report: EncodedFrameReport): void;
  activityChanged(change: TrackActivity): void;
  /** Spaces the key frames of all streams of the sender. */
  readonly keyFrames: KeyFramePacer;
  /** Hears of frames that come to their end after their track has been given up; nobody else is told of them. */
  readonly late: LateCompletionObserver;
  /** Runs user code (a frame's `release`) later, outside every lock. */
  defer(userCode: () => void): void;
}

/** How a stream is named to the application. */
export interface StreamName {
  readonly trackId: string;
  /** Of the encoding; absent where the track has but one. */
  readonly rid?: string;
}

/** What the bitrate control has decided about a stream. */
export interface BitrateGrant {
  /** In bits per second; 0 while it is paused. */
  readonly targetBps: number;
  readonly paused?: boolean;
  readonly reason?: AllocationReason | LayerReason;
  readonly priorityClass?: number | undefined;
}

/** What it has decided about a track, and about each of its encodings, if it has several and is not paused. */
export interface TrackGrant extends BitrateGrant {
  readonly layers?: readonly LayerAllocation[];
}

/** A track was paused by the allocation, or woken; of a camera with several encodings, one of these. */
export interface TrackActivity extends StreamName {
  readonly active: boolean;
  readonly reason: AllocationReason | LayerReason;
}
