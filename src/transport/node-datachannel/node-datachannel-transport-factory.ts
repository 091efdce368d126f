import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import { type Logger, silentLogger } from '../../core/logger.js';
import type { MediaTransportFactory } from '../media-transport.js';
import { type DatachannelLibrary, loadDatachannelLibrary } from './datachannel-library.js';
import { readIceServers } from './ice-servers.js';
import { NodeDatachannelTransport } from './node-datachannel-transport.js';

/** Options of {@link createNodeDatachannelTransportFactory}. */
export interface NodeDatachannelTransportOptions {
  readonly clock: Clock;
  /**
   * One STUN server and up to two TURN servers, over UDP, are used; those that the SFU names by its signalling come after them.
   * @default none: host candidates only, which is enough for a public SFU
   */
  readonly iceServers?: readonly IceServer[];
  /** Literal local address to open the socket on. @default all of them; on a machine without a network 127.0.0.1 */
  readonly bindAddress?: string;
  /** All addresses of all interfaces, now; asked twice a second, to notice that the machine has moved. @default asks the operating system */
  readonly machineAddresses?: () => readonly string[];
  /** First and last UDP port to use, 1025-65535. @default any free port */
  readonly portRange?: readonly [number, number];
  /** How long gathering candidates may take, 100-60000 ms; servers that take longer than half of it are left out. @default 5000 */
  readonly gatheringTimeoutMs?: number;
  readonly logger?: Logger;
  /** @default the package node-datachannel, loaded now */
  readonly library?: DatachannelLibrary;
}

const DEFAULT_GATHERING_TIMEOUT_MS = 5000;
/** libdatachannel takes no range that begins at a privileged port for one. */
const FIRST_PORT = 1025;

/**
 * A factory of transports over node-datachannel, an optional package. It says in the log what docs/architecture.md measures: whoever can send datagrams to the
 * machine can end such a connection.
 * @throws FramelockError INVALID_ARGUMENT, TRANSPORT_UNAVAILABLE: the package cannot be loaded
 */
export function createNodeDatachannelTransportFactory(options: NodeDatachannelTransportOptions): MediaTransportFactory {
  const { clock, bindAddress, portRange, logger = silentLogger } = options;
  const gatheringTimeoutMs = options.gatheringTimeoutMs ?? DEFAULT_GATHERING_TIMEOUT_MS;
  if (bindAddress !== undefined && isIP(bindAddress) === 0) {
    throw invalid('bindAddress', `'${bindAddress}' is no literal IP address`);
  }
  if (portRange !== undefined && !isPortRange(portRange)) {
    throw invalid('portRange', `[${portRange.join(', ')}] is no range within ${FIRST_PORT}-65535`);
  }
  if (!(gatheringTimeoutMs >= 100 && gatheringTimeoutMs <= 60_000)) {
    throw invalid('gatheringTimeoutMs', `${gatheringTimeoutMs} is not within 100-60000`);
  }
  const given = readIceServers(options.iceServers ?? []);
  const library = options.library ?? loadDatachannelLibrary();
  logger.warn('The transport node-datachannel has no datagram guard: use it on networks that no stranger can send to');
  return (observer, named = []) =>
    new NodeDatachannelTransport({
      library,
      observer,
      clock,
      logger,
      gatheringTimeoutMs,
      machineAddresses: options.machineAddresses ?? (() => interfaces().map(({ address }) => address)),
      configuration: () => {
        const address = bindAddress ?? defaultBinding();
        return {
          iceServers: [...given, ...readIceServers(named.filter(isReadable))],
          forceMediaTransport: true,
          ...(address === undefined ? {} : { bindAddress: address }),
          ...(portRange === undefined ? {} : { portRangeBegin: portRange[0], portRangeEnd: portRange[1] }),
        };
      },
    });
}

/** A server that a peer has named, and that cannot be used, is no reason not to connect. */
function isReadable(server: IceServer): boolean {
  try {
    return readIceServers([server]).length > 0;
  } catch {
    return false;
  }
}

/** A machine without a network can still reach an SFU on itself: the library leaves the loopback interface out unless it is asked for. */
function defaultBinding(): string | undefined {
  return interfaces().some(({ internal }) => !internal) ? undefined : '127.0.0.1';
}

function interfaces(): { readonly address: string; readonly internal: boolean }[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
}

function isPortRange([first, last]: readonly [number, number]): boolean {
  return Number.isInteger(first) && Number.isInteger(last) && first >= FIRST_PORT && first <= last && last <= 65_535;
}

function invalid(option: string, problem: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `Transport option ${option}: ${problem}`, { context: { option } });
}
