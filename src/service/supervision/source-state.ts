import { describeError, isFramelockError } from '../../core/errors.js';

/**
 * What a supervised source is doing:
 *
 * | state | meaning |
 * |---|---|
 * | `starting` | it is opened for the first time |
 * | `live` | pictures come |
 * | `stalled` | it is open, and no picture has come for some frame intervals |
 * | `frozen` | pictures come, and are the same all the time |
 * | `format-changed` | its pictures have another size or format, which the track is just given |
 * | `unplugged` | the device, the file or the program that writes the pictures is not there; opened again when it is back |
 * | `reopening` | it failed, and is opened again, with growing pauses |
 * | `ended` | it has come to its end, which is final |
 * | `failed` | it cannot be opened for a reason that does not go away by itself; tried again all the same, with growing pauses |
 */
export const SOURCE_STATES = [
  'starting',
  'live',
  'stalled',
  'frozen',
  'format-changed',
  'unplugged',
  'reopening',
  'ended',
  'failed',
] as const;

export type SourceState = (typeof SOURCE_STATES)[number];

/** A state, why, and how often the source was opened again so far. */
export interface SourceStatus {
  readonly state: SourceState;
  /** For people; absent while all is well. */
  readonly reason?: string;
  readonly reopened: number;
}

const LASTING: readonly string[] = [
  'CODEC_UNSUPPORTED',
  'ENCODER_OPEN_FAILED',
  'INVALID_ARGUMENT',
  'SOURCE_DENIED',
  'SOURCE_FORMAT_UNSUPPORTED',
  'SOURCE_MALFORMED',
  'USAGE',
];

/** The state of a source that has ended or could not be opened, and why. @param error absent where it ended without one */
export function stateAfter(error: unknown): { readonly state: SourceState; readonly reason: string } {
  if (error === undefined) return { state: 'reopening', reason: 'it has ended' };
  const reason = describeError(error);
  if (!isFramelockError(error)) return { state: 'reopening', reason };
  if (error.code === 'SOURCE_NOT_FOUND' || error.code === 'SOURCE_UNPLUGGED') return { state: 'unplugged', reason };
  return { state: LASTING.includes(error.code) ? 'failed' : 'reopening', reason };
}
