import type { Clock } from '../../../src/core/clock.js';
import {
  createWeriftTransportFactory,
  type WeriftTransportOptions,
} from '../../../src/transport/werift/werift-transport-factory.js';
import { type ObservedTransport, observeTransport } from '../wrtc-peer.js';

/** A transport over werift, with everything that its observer hears. */
export function createTransport(
  options: Partial<Pick<WeriftTransportOptions, 'bindAddresses'>> & { readonly clock?: Clock } = {},
): ObservedTransport {
  return observeTransport((given) => createWeriftTransportFactory({ ...given, ...options }));
}
