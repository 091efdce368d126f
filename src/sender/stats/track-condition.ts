import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { FrameSize } from '../outbound/outbound-stream.js';
import type { Track, TrackStream } from '../tracks/track.js';
import type { TrackHealth } from './track-health.js';

/** How a track is now, for those who ask often: a small part of its statistics, read without the rest. A fresh object each time. */
export interface TrackCondition {
  readonly codec: RtpCodec;
  readonly health: TrackHealth;
  /** Of a camera with several encodings, in the order in which they were given. */
  readonly encodings?: readonly EncodingCondition[];
}

/** One encoding of a camera. */
export interface EncodingCondition {
  readonly rid: string;
  /** Whether it is sent, as far as the allocation and the peer are concerned. */
  readonly active: boolean;
  /** Of the pictures that are sent, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** The condition of a track. */
export function trackCondition(track: Track, nowUs: number): TrackCondition {
  const streams: readonly TrackStream[] = track.streams;
  const encodings = streams.flatMap(({ rid, paused, frameSize }) =>
    rid === undefined || frameSize === undefined ? [] : [conditionOf(rid, !paused, frameSize)],
  );
  const condition = { codec: track.codec, health: track.health(nowUs) };
  return encodings.length === 0 ? condition : { ...condition, encodings };
}

function conditionOf(rid: string, active: boolean, { width, height }: FrameSize): EncodingCondition {
  return { rid, active, width, height };
}
