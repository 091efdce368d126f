import { FramelockError } from '../core/errors.js';

/** The publisher that was meant is no more. */
export function publisherClosed(publisherId: string): FramelockError {
  return new FramelockError('PUBLISHER_CLOSED', `publisher "${publisherId}" has been closed`, {
    context: { publisherId },
  });
}
