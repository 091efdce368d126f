import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { JanusSignaller } from '../signalling/janus/janus-signaller.js';
import type { Signaller } from '../signalling/signaller.js';
import { WhipSignaller } from '../signalling/whip/whip-signaller.js';
import type { SfuSpec } from './schema/publisher-schema.js';

/** A signaller to an SFU. @throws FramelockError INVALID_ARGUMENT (the address, or no protocol) */
export function signallerFor({ whip, janus }: SfuSpec, clock: Clock, logger: Logger): Signaller {
  if (whip !== undefined) return new WhipSignaller({ ...whip, clock, logger });
  if (janus !== undefined) return new JanusSignaller({ ...janus, clock });
  throw new FramelockError('INVALID_ARGUMENT', 'an SFU is reached by "whip" or by "janus"', {
    context: { field: 'sfu' },
  });
}
