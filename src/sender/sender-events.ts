import type { EventQueueOptions } from '../concurrency/event-queue.js';
import type { TransportState } from '../transport/media-transport.js';
import type { EncodedFrameReport, FrameReport } from './stats/frame-report.js';
import type { SenderStats } from './stats/sender-stats.js';
import type { TrackHealth } from './stats/track-health.js';
import type { StreamName, TrackActivity } from './tracks/track-host.js';

/**
 * Events of a sender. Handlers run one at a time, in order, off the media path and outside every lock: they may call anything on the sender,
 * `close()` included.
 */
export interface SenderEvents {
  /** A frame was sent or dropped; every frame exactly once, of a camera with several encodings once for each. Under overload the oldest of these are dropped and counted. */
  readonly frameSent: FrameReport;
  /** A frame was encoded and is about to be sent. Under overload the oldest of these are dropped and counted. */
  readonly encodedFrame: EncodedFrameReport;
  /** The connection changed its state. Never dropped. */
  readonly connectionState: { readonly state: TransportState; readonly reason?: string };
  /** A track changed its health; the reason is there if it has failed. Never dropped. */
  readonly trackHealth: { readonly trackId: string; readonly health: TrackHealth; readonly reason?: string };
  /** A track was paused by the allocation, or woken, and why. Never dropped. */
  readonly trackActivity: TrackActivity;
  /** A track's encoder, or that of one of its encodings, was exchanged. Never dropped. */
  readonly encoderSwapped: EncoderSwapped;
  /** A pre-encoded track should aim at this rate from now on. Only the newest of a track is kept. */
  readonly targetBitrate: { readonly trackId: string; readonly targetBps: number };
  /** A pre-encoded track should make its next frame a key frame. Only one of a track is kept. */
  readonly keyFrameRequest: { readonly trackId: string };
  /** Periodic statistics. Only the newest is kept. */
  readonly stats: SenderStats;
  /** Something failed where no caller could be told: an encode, a user's handler, a frame's `release`. Under overload the oldest are dropped. */
  readonly error: SenderErrorEvent;
}

/**
 * Why an encoder is exchanged: asked for, because the allocation woke its track from a pause, because the track's size, format or frame rate was
 * changed, because its picture is scaled down or up, or because it kept failing or missing its target.
 */
export type SwapCause = 'recreate' | 'activation' | 'reconfiguration' | 'scaling' | 'failure';

/** A swap that was done. */
export interface EncoderSwapped extends StreamName {
  readonly implementation: string;
  /** Why. */
  readonly cause: SwapCause;
  /** Microseconds from asking the track to stand still to holding the write side of encoderMu: at most one encode cycle. */
  readonly waitUs: number;
  /** Microseconds during which both locks were held exclusively. */
  readonly exclusiveHoldUs: number;
}

/** A failure without a caller. */
export interface SenderErrorEvent {
  readonly where: 'encoder' | 'handler' | 'release';
  readonly trackId?: string;
  /** Of the encoding, where the track has several. */
  readonly rid?: string;
  readonly error: unknown;
}

/** What waits at the most: two seconds of fourteen cameras at 60 frames per second. */
const FRAME_EVENTS_CAPACITY = 2048;
/** Errors may come with every frame; the newest are kept. */
const ERROR_EVENTS_CAPACITY = 256;

/** What happens to each class of events when the handlers do not keep up. */
export const EVENT_POLICIES: EventQueueOptions<SenderEvents>['policies'] = Object.freeze({
  frameSent: { overflow: 'drop-oldest-counted', capacity: FRAME_EVENTS_CAPACITY },
  encodedFrame: { overflow: 'drop-oldest-counted', capacity: FRAME_EVENTS_CAPACITY },
  connectionState: { overflow: 'never-drop' },
  trackHealth: { overflow: 'never-drop' },
  trackActivity: { overflow: 'never-drop' },
  encoderSwapped: { overflow: 'never-drop' },
  targetBitrate: { overflow: 'coalesce', key: ({ trackId }) => trackId },
  keyFrameRequest: { overflow: 'coalesce', key: ({ trackId }) => trackId },
  stats: { overflow: 'coalesce', key: () => 'stats' },
  error: { overflow: 'drop-oldest-counted', capacity: ERROR_EVENTS_CAPACITY },
});
