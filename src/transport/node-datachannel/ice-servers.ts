import { FramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import type { LibraryIceServer } from './datachannel-library.js';

const DEFAULT_PORT = 3478;
const URL_PATTERN = /^(stun|turn):(\[[0-9a-f:.]+\]|[^:?[\]]+)(?::(\d{1,5}))?(\?transport=udp)?$/i;

/**
 * STUN servers, and TURN servers over UDP: libjuice knows no others.
 * @throws FramelockError INVALID_ARGUMENT
 */
export function readIceServers(servers: readonly IceServer[]): LibraryIceServer[] {
  return servers.flatMap((server) => [server.urls].flat().map((url) => readServer(url, server)));
}

function readServer(url: string, { username, credential }: IceServer): LibraryIceServer {
  const [, scheme, host, port] = URL_PATTERN.exec(url) ?? [];
  if (scheme === undefined || host === undefined || Number(port ?? DEFAULT_PORT) > 65_535) {
    throw invalid(url, 'is no stun: server and no turn: server over UDP, which are all that this transport knows');
  }
  const at = { hostname: host.replace(/^\[|\]$/g, ''), port: Number(port ?? DEFAULT_PORT) };
  if (scheme.toLowerCase() === 'stun') return at;
  if (username === undefined || credential === undefined) throw invalid(url, 'needs username and credential');
  return { ...at, username, password: credential, relayType: 'TurnUdp' };
}

function invalid(url: string, problem: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `Transport option iceServers: '${url}' ${problem}`, {
    context: { option: 'iceServers' },
  });
}
