import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { IceServer } from '../core/ice-server.js';
import type { Logger } from '../core/logger.js';
import type { MediaTransportFactory } from '../transport/media-transport.js';
import { createNodeDatachannelTransportFactory } from '../transport/node-datachannel/node-datachannel-transport-factory.js';
import { createWeriftTransportFactory } from '../transport/werift/werift-transport-factory.js';
import type { PublisherSpec } from './schema/publisher-schema.js';

/** The transports that come with Framelock; the second one needs a package that is not installed with it. */
export const TRANSPORT_NAMES = ['werift', 'node-datachannel'] as const;

/** Of {@link TRANSPORT_NAMES}. */
export type TransportName = (typeof TRANSPORT_NAMES)[number];

/** What every transport is made with. */
export interface TransportChoiceOptions {
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly iceServers?: readonly IceServer[];
  readonly iceTransportPolicy?: 'all' | 'relay';
}

/**
 * A factory by its name.
 * @throws FramelockError TRANSPORT_UNAVAILABLE, INVALID_ARGUMENT
 */
export function transportFactory(name: TransportName, options: TransportChoiceOptions): MediaTransportFactory {
  if (name === 'werift') return createWeriftTransportFactory(options);
  const { iceTransportPolicy, ...others } = options;
  if (iceTransportPolicy === 'relay') {
    const problem = 'libdatachannel checks pairs of its own addresses as well, which tells them to the peer';
    throw new FramelockError(
      'INVALID_ARGUMENT',
      `Transport option iceTransportPolicy: relay needs werift: ${problem}`,
      {
        context: { option: 'iceTransportPolicy' },
      },
    );
  }
  return createNodeDatachannelTransportFactory(others);
}

/**
 * The transport that a publisher is to have.
 * @throws FramelockError TRANSPORT_UNAVAILABLE, INVALID_ARGUMENT (with the field as `option` of the context)
 */
export function transportOf(
  { transport = 'werift', iceServers, iceTransportPolicy }: Omit<PublisherSpec, 'id' | 'sfu'>,
  parts: Pick<TransportChoiceOptions, 'clock' | 'logger'>,
): MediaTransportFactory {
  return transportFactory(transport, {
    ...parts,
    ...(iceServers === undefined ? {} : { iceServers }),
    ...(iceTransportPolicy === undefined ? {} : { iceTransportPolicy }),
  });
}
