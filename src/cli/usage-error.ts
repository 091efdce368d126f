import { FramelockError } from '../core/errors.js';

/** The command line is wrong: what of it, and what it should be. */
export function usageError(message: string, cause?: unknown): FramelockError {
  return new FramelockError('USAGE', message, { cause });
}
