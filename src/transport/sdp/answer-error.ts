import { FramelockError } from '../../core/errors.js';

/** Where in an answer a fault is. */
export interface AnswerPlace {
  /** Zero-based m-line; absent for the session part. */
  readonly mLine?: number;
  readonly trackId?: string;
  /** Attribute or field, as SDP names it. */
  readonly field: string;
}

/** INVALID_SDP for an answer, naming m-line and field. */
export function invalidAnswer(place: AnswerPlace, problem: string): FramelockError {
  const where = place.mLine === undefined ? 'the session part' : `m-line ${place.mLine} (track '${place.trackId}')`;
  return new FramelockError('INVALID_SDP', `The answer was refused: ${place.field} of ${where}: ${problem}`, {
    context: { ...place },
  });
}
