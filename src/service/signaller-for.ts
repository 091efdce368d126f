import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { JanusSignaller } from '../signalling/janus/janus-signaller.js';
import { LiveKitSignaller } from '../signalling/livekit/livekit-signaller.js';
import { liveKitToken } from '../signalling/livekit/livekit-token.js';
import type { Signaller } from '../signalling/signaller.js';
import { WhipSignaller } from '../signalling/whip/whip-signaller.js';
import type { SfuSpec } from './schema/publisher-schema.js';

/** A signaller to an SFU. @throws FramelockError INVALID_ARGUMENT (the address, or no protocol) */
export function signallerFor({ whip, janus, livekit }: SfuSpec, clock: Clock, logger: Logger): Signaller {
  if (whip !== undefined) return new WhipSignaller({ ...whip, clock, logger });
  if (janus !== undefined) return new JanusSignaller({ ...janus, clock });
  if (livekit !== undefined) return liveKitSignallerFor(livekit, clock);
  throw new FramelockError('INVALID_ARGUMENT', 'an SFU is reached by "whip", by "janus" or by "livekit"', {
    context: { field: 'sfu' },
  });
}

function liveKitSignallerFor(spec: NonNullable<SfuSpec['livekit']>, clock: Clock): Signaller {
  const { url } = spec;
  if ('token' in spec) return new LiveKitSignaller({ url, token: spec.token, clock });
  const { apiKey, apiSecret, room, identity } = spec;
  // Who joins with it stays: it has to last no longer than joining takes, on clocks that differ.
  const lifetimeS = 600;
  const token = () => liveKitToken({ apiKey, apiSecret, room, identity, lifetimeS, clock });
  return new LiveKitSignaller({ url, token, clock });
}
