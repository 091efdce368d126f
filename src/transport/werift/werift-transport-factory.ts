import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { getHostAddresses, parseIceServers } from 'werift';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import { type Logger, silentLogger } from '../../core/logger.js';
import type { MediaTransportFactory } from '../media-transport.js';
import { WeriftTransport } from './werift-transport.js';

/** Options of {@link createWeriftTransportFactory}. */
export interface WeriftTransportOptions {
  readonly clock: Clock;
  /**
   * The first STUN and the first TURN server are used; where one of them is missing, the first one that the SFU names by its signalling.
   * @default none: host candidates only, which is enough for a public SFU
   */
  readonly iceServers?: readonly IceServer[];
  /** `relay`: nothing is sent but by the TURN server, and no address of this machine is told to the peer (RFC 8828 section 5.2, mode 4). @default 'all' */
  readonly iceTransportPolicy?: 'all' | 'relay';
  /**
   * Literal local addresses to open sockets on.
   * @default those of all network interfaces, looked up for each connection and each ICE restart; on a machine without a network 127.0.0.1
   */
  readonly bindAddresses?: readonly string[];
  /** All addresses of all interfaces, now; asked twice a second, to notice that the machine has moved. @default asks the operating system */
  readonly machineAddresses?: () => readonly string[];
  /** First and last UDP port to use, 1-65535. @default any free port */
  readonly portRange?: readonly [number, number];
  /** How long gathering candidates may take, 100-60000 ms; servers that take longer than half of it are left out where there is a way without. @default 5000 */
  readonly gatheringTimeoutMs?: number;
  readonly logger?: Logger;
}

const DEFAULT_GATHERING_TIMEOUT_MS = 5000;

/**
 * A factory of transports over werift.
 * @throws FramelockError INVALID_ARGUMENT
 */
export function createWeriftTransportFactory(options: WeriftTransportOptions): MediaTransportFactory {
  const { clock, bindAddresses, portRange, logger = silentLogger } = options;
  const gatheringTimeoutMs = options.gatheringTimeoutMs ?? DEFAULT_GATHERING_TIMEOUT_MS;
  for (const address of bindAddresses ?? []) {
    if (isIP(address) === 0) throw invalid('bindAddresses', `'${address}' is no literal IP address`);
  }
  if (bindAddresses?.length === 0) throw invalid('bindAddresses', 'at least one address is needed');
  if (portRange !== undefined && !isPortRange(portRange)) {
    throw invalid('portRange', `[${portRange.join(', ')}] is no range within 1-65535`);
  }
  if (!(gatheringTimeoutMs >= 100 && gatheringTimeoutMs <= 60_000)) {
    throw invalid('gatheringTimeoutMs', `${gatheringTimeoutMs} is not within 100-60000`);
  }
  const given = options.iceServers ?? [];
  const policy = options.iceTransportPolicy ?? 'all';
  readServers(given, policy);
  return (observer, named = []) =>
    new WeriftTransport({
      observer,
      clock,
      logger,
      servers: readServers([...given, ...named.filter(isReadable)], policy),
      gatheringTimeoutMs,
      addresses: () => bindAddresses ?? localAddresses(),
      machineAddresses: options.machineAddresses ?? machineAddresses,
      ...(portRange === undefined ? {} : { portRange }),
    });
}

/** A machine without a network can still reach an SFU on itself. */
function localAddresses(): readonly string[] {
  const addresses = getHostAddresses(true, true);
  return addresses.length > 0 ? addresses : ['127.0.0.1'];
}

/** A server that a peer has named wrongly is no reason not to connect. */
function isReadable(server: IceServer): boolean {
  try {
    readServers([server], 'all');
    return true;
  } catch {
    return false;
  }
}

function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((interfaces) => interfaces?.map(({ address }) => address) ?? []);
}

function readServers(
  iceServers: readonly IceServer[],
  policy: 'all' | 'relay',
): ReturnType<typeof parseIceServers> & { readonly forceTurn: boolean } {
  const servers = iceServers.map(({ urls, ...credentials }) => ({ urls: [urls].flat(), ...credentials }));
  for (const server of servers) {
    for (const url of server.urls) {
      const { stunServer, turnServer } = parseIceServers([{ ...server, urls: [url] }]);
      if (stunServer === undefined && turnServer === undefined) throw invalid('iceServers', `'${url}' cannot be read`);
      if (turnServer !== undefined && (server.username === undefined || server.credential === undefined)) {
        throw invalid('iceServers', `'${url}' needs username and credential`);
      }
    }
  }
  const parsed = parseIceServers(servers);
  if (policy === 'relay' && parsed.turnServer === undefined)
    throw invalid('iceTransportPolicy', 'relay needs a TURN server');
  return { ...parsed, forceTurn: policy === 'relay' };
}

function isPortRange([first, last]: readonly [number, number]): boolean {
  return Number.isInteger(first) && Number.isInteger(last) && first >= 1 && first <= last && last <= 65_535;
}

function invalid(option: string, problem: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `Transport option ${option}: ${problem}`, { context: { option } });
}
