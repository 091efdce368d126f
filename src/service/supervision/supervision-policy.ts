import { parseMediaLocation } from '../../source/file/media-location.js';
import type { SourceSpec } from '../../source/source-spec.js';

/** What is expected of a source, and what is done when it does not come. */
export interface SupervisionPolicy {
  /** It is stalled when no picture has come for so many frame intervals, and for a second at least. 0: never */
  readonly stalledAfterIntervals: number;
  /** It is frozen when its pictures have been the same for so long, in milliseconds. 0: never */
  readonly frozenAfterMs: number;
  /** A source that is stalled or frozen for so long is opened again; doubled each time that this does not help. 0: never */
  readonly patienceMs: number;
  /** Longest time to open it. 0: it may take as long as it takes, since it waits for somebody */
  readonly openTimeoutMs: number;
  /** Whether an end without an error is one. Otherwise it is opened again. */
  readonly endIsFinal: boolean;
}

/** What a configuration may say of it. */
export type SupervisionWishes = Partial<Pick<SupervisionPolicy, 'stalledAfterIntervals' | 'frozenAfterMs'>>;

const STALLED_AFTER_INTERVALS = 15;
/**
 * Longer than the interval of key frames of common network cameras: between them, a still scene at a low rate may be decoded to the very same picture.
 */
const FROZEN_AFTER_MS = 10_000;
const PATIENCE_MS = 5000;
/** FFmpeg gives up a silent network peer after 5 s, and asks more than once. */
const OPEN_TIMEOUT_MS = 20_000;

const CAMERA: SupervisionPolicy = {
  stalledAfterIntervals: STALLED_AFTER_INTERVALS,
  frozenAfterMs: FROZEN_AFTER_MS,
  patienceMs: PATIENCE_MS,
  openTimeoutMs: OPEN_TIMEOUT_MS,
  endIsFinal: false,
};

/** Pictures of files may stand still, and have an end. */
const RECORDING: SupervisionPolicy = { ...CAMERA, frozenAfterMs: 0, endIsFinal: true };

/** Closing it would only send its writer away. */
const WRITER: SupervisionPolicy = { ...CAMERA, patienceMs: 0, openTimeoutMs: 0 };

/** How a source of this kind is supervised. */
export function supervisionPolicy(spec: SourceSpec, wishes: SupervisionWishes = {}): SupervisionPolicy {
  return { ...policyOf(spec), ...wishes };
}

function policyOf(spec: SourceSpec): SupervisionPolicy {
  switch (spec.kind) {
    case 'test':
      return RECORDING;
    case 'file':
      return parseMediaLocation(spec.location).isNetwork ? CAMERA : RECORDING;
    case 'v4l2':
      return CAMERA;
    case 'pipe':
    case 'unix':
      return WRITER;
  }
}
