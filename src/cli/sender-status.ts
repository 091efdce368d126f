import type { CameraHealth, CameraStatus, SenderStatus } from '../loopback/status.js';
import { weightOf } from '../sender/allocation.js';
import type { SenderStats } from '../sender/sender-stats.js';
import type { TrackHealth } from '../sender/track-health.js';
import type { TrackStats } from '../sender/track-stats.js';

const HEALTH: Readonly<Record<TrackHealth, CameraHealth>> = Object.freeze({
  ok: 'ok',
  stalled: 'stalled',
  paused: 'paused',
  waiting: 'waiting',
  failed: 'failed',
  'no-input': 'failed',
});

/** A camera, and what it is for people. */
export interface NamedCamera {
  readonly trackId: string;
  readonly source: string;
}

/** What the page and the table show of a sender, its cameras in the order in which they were named. */
export function senderStatus(stats: SenderStats, cameras: readonly NamedCamera[], uptimeMs: number): SenderStatus {
  return {
    state: stats.state,
    targetBps: stats.targetBitrate,
    uptimeMs,
    tracks: cameras.flatMap(({ trackId, source }) => {
      const track = stats.tracks.find((candidate) => candidate.trackId === trackId);
      return track === undefined ? [] : [cameraStatus(track, stats, source)];
    }),
  };
}

function cameraStatus(track: TrackStats, stats: SenderStats, source: string): CameraStatus {
  return {
    id: track.trackId,
    source,
    codec: track.codec,
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
