import type { IceServer } from '../core/ice-server.js';
import { TRANSPORT_NAMES, type TransportName } from '../service/transport-choice.js';
import { usageError } from './usage-error.js';

/** Options of how the SFU is reached. */
export const ICE_OPTIONS = {
  'ice-server': { type: 'string', multiple: true },
  'ice-user': { type: 'string' },
  'relay-only': { type: 'boolean' },
  transport: { type: 'string' },
} as const;

export const ICE_HELP = `  --ice-server URL   stun:HOST:PORT, turn:HOST:PORT[?transport=tcp] or turns:HOST:PORT; more than once   [none]
  --ice-user NAME:PASSWORD
                     of the TURN server; better in the environment, as FRAMELOCK_ICE_USER
  --relay-only       everything goes by the TURN server
  --transport NAME   werift, or node-datachannel where that package is installed   [werift]`;

/** How the SFU is reached. */
export interface IceCommandOptions {
  readonly iceServers: readonly IceServer[];
  readonly iceTransportPolicy: 'all' | 'relay';
  readonly transport: TransportName;
}

/** @throws FramelockError USAGE */
export function parseIce(
  values: {
    readonly 'ice-server'?: readonly string[] | undefined;
    readonly 'ice-user'?: string | undefined;
    readonly 'relay-only'?: boolean | undefined;
    readonly transport?: string | undefined;
  },
  environment: NodeJS.ProcessEnv,
): IceCommandOptions {
  const user = values['ice-user'] ?? environment['FRAMELOCK_ICE_USER'];
  const [, username, credential] = /^([^:]+):(.+)$/s.exec(user ?? '') ?? [];
  if (user !== undefined && credential === undefined) throw usageError('--ice-user: it must be NAME:PASSWORD');
  const iceServers = (values['ice-server'] ?? []).map((url): IceServer => {
    if (!/^turns?:/i.test(url)) return { urls: url };
    if (username === undefined || credential === undefined) {
      throw usageError(`--ice-server ${url}: a TURN server needs --ice-user NAME:PASSWORD`);
    }
    return { urls: url, username, credential };
  });
  const isRelayed = values['relay-only'] === true;
  if (isRelayed && !iceServers.some(({ username: name }) => name !== undefined)) {
    throw usageError('--relay-only needs a TURN server: --ice-server turn:HOST:PORT');
  }
  const transport = TRANSPORT_NAMES.find((name) => name === (values.transport ?? 'werift'));
  if (transport === undefined) {
    throw usageError(`--transport ${values.transport}: it must be one of ${TRANSPORT_NAMES.join(', ')}`);
  }
  if (isRelayed && transport !== 'werift') throw usageError('--relay-only needs --transport werift');
  return { iceServers, iceTransportPolicy: isRelayed ? 'relay' : 'all', transport };
}
