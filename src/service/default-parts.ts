import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { SystemRandom } from '../core/random.js';
import { createSource } from '../source/create-source.js';
import { parseSourceSpec } from '../source/source-spec.js';
import { createSender } from './create-sender.js';
import { tapTransports } from './dashboard/tapped-transport.js';
import type { PublisherParts } from './publishers/publisher-parts.js';
import { DEFAULT_BITRATE_BPS } from './schema/publisher-schema.js';
import { signallerFor } from './signaller-for.js';
import { sourceSupervision } from './supervision/source-supervision.js';
import { transportOf } from './transport-choice.js';

/** Publishers of the real thing: encoders, sockets and SFUs. */
export function defaultParts(clock: Clock, logger: Logger): PublisherParts {
  return {
    clock,
    random: new SystemRandom(),
    logger,
    createSender: (spec, senderLogger, tap) => {
      const { bitrateBps = DEFAULT_BITRATE_BPS, congestionControl, isolation, hardwareEncoders } = spec;
      const sender = createSender({
        clock,
        logger: senderLogger,
        transport: tapTransports(transportOf(spec, { clock, logger: senderLogger }), tap, senderLogger),
        startBitrateBps: bitrateBps,
        ...(congestionControl === undefined ? {} : { congestionControl }),
        ...(isolation === undefined ? {} : { isolation }),
        ...(hardwareEncoders === undefined ? {} : { hardwareEncoders }),
      });
      sender.updateBitrate(bitrateBps);
      return sender;
    },
    createSource: (source, track) => createSource(parseSourceSpec(source), { ...track, clock }),
    superviseSource: ({ source, supervision }) => sourceSupervision(parseSourceSpec(source), supervision),
    createSignaller: (sfu) => signallerFor(sfu, clock, logger),
  };
}
