import type { CameraHealth, CameraSize, CameraStatus, SenderStatus } from '../loopback/status.js';
import { weightOf } from '../sender/allocation/allocation.js';
import type { SenderStats } from '../sender/stats/sender-stats.js';
import type { TrackHealth } from '../sender/stats/track-health.js';
import type { TrackStats } from '../sender/stats/track-stats.js';

const HEALTH: Readonly<Record<TrackHealth, CameraHealth>> = Object.freeze({
  ok: 'ok',
  stalled: 'stalled',
  paused: 'paused',
  waiting: 'waiting',
  failed: 'failed',
  'no-input': 'failed',
});

/** What a status tells of a camera beside its track. */
export interface CameraFacts {
  readonly trackId: string;
  /** What it is, for people. */
  readonly sourceName: string;
  readonly size: CameraSize;
  readonly sizes: readonly CameraSize[];
  readonly codecs: readonly string[];
}

/** What the page and the table show of a sender, its cameras in the order in which they were named. */
export function senderStatus(stats: SenderStats, cameras: readonly CameraFacts[], uptimeMs: number): SenderStatus {
  return {
    state: stats.state,
    targetBps: stats.targetBitrate,
    uptimeMs,
    tracks: cameras.flatMap((camera) => {
      const track = stats.tracks.find((candidate) => candidate.trackId === camera.trackId);
      return track === undefined ? [] : [cameraStatus(track, stats, camera)];
    }),
  };
}

function cameraStatus(track: TrackStats, stats: SenderStats, camera: CameraFacts): CameraStatus {
  const { sourceName, size, sizes, codecs } = camera;
  return {
    id: track.trackId,
    source: sourceName,
    codec: track.codec,
    codecs,
    size,
    sizes,
    encoderImplementation: track.encoderImplementation ?? 'external',
    width: track.frameWidth ?? 0,
    height: track.frameHeight ?? 0,
    framerate: track.framesPerSecond,
    targetBps: track.targetBitrate,
    actualBps: track.actualBitrate,
    weight: weightOf(stats.allocation, track.trackId),
    paused: !track.active,
    health: HEALTH[track.health],
    framesEncoded: track.framesEncoded,
    framesSent: track.framesSent,
    framesDropped: Object.values(track.framesDropped).reduce((sum, count) => sum + count, 0),
    keyFrames: track.keyFramesEncoded,
    swaps: track.encoderSwaps,
  };
}
