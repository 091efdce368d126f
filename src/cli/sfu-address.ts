import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { signallerFor } from '../service/signaller-for.js';
import type { Signaller } from '../signalling/signaller.js';
import { usageError } from './usage-error.js';

/** Where to publish, and how it is spoken to. */
export type SfuAddress =
  | { readonly protocol: 'whip'; readonly url: string }
  | {
      readonly protocol: 'janus';
      readonly url: string;
      readonly room: number | string;
      readonly pin: string | undefined;
    }
  | { readonly protocol: 'livekit'; readonly url: string; readonly key: LiveKitKey | undefined };

/** A key of a LiveKit server, and what tokens are made of it for. */
interface LiveKitKey {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly room: string;
  readonly identity: string;
}

/** Options that name an SFU, for `parseArgs`. */
export const SFU_OPTIONS = {
  whip: { type: 'string' },
  janus: { type: 'string' },
  room: { type: 'string' },
  pin: { type: 'string' },
  livekit: { type: 'string' },
  identity: { type: 'string' },
} as const;

type SfuValues = { readonly [option in keyof typeof SFU_OPTIONS]?: string };

/**
 * Reads where to publish.
 * @param environment for `FRAMELOCK_PIN`, and `LIVEKIT_API_KEY` with `LIVEKIT_API_SECRET`, which keeps them out of the process list
 * @throws FramelockError USAGE
 */
export function parseSfuAddress(values: SfuValues, environment: NodeJS.ProcessEnv): SfuAddress {
  const { whip, janus, livekit, room, pin, identity } = values;
  if ([whip, janus, livekit].filter((url) => url !== undefined).length !== 1) {
    throw usageError(
      'publish needs one of --whip URL, the WHIP endpoint of the SFU, --janus URL with --room ROOM, and --livekit URL',
    );
  }
  if (identity !== undefined && livekit === undefined) throw usageError('--identity belongs to --livekit');
  if (livekit !== undefined) return liveKitAddress(livekit, values, environment);
  if (whip !== undefined) {
    if (room !== undefined || pin !== undefined) throw usageError('--room and --pin belong to --janus');
    return { protocol: 'whip', url: whip };
  }
  if (room === undefined) throw usageError('--janus needs --room ROOM, the number or name of a room');
  return {
    protocol: 'janus',
    url: janus ?? '',
    // Rooms have numbers, and names only where Janus is configured for them (string_ids).
    room: /^\d+$/.test(room) ? Number(room) : room,
    pin: pin ?? environment['FRAMELOCK_PIN'],
  };
}

/** A room and an identity are given with a key; a token names them itself. */
function liveKitAddress(url: string, { room, pin, identity }: SfuValues, environment: NodeJS.ProcessEnv): SfuAddress {
  if (pin !== undefined) throw usageError('--pin belongs to --janus');
  if (room === undefined && identity === undefined) return { protocol: 'livekit', url, key: undefined };
  const { LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = environment;
  if (room === undefined || identity === undefined || !apiKey || !apiSecret) {
    throw usageError(
      '--livekit needs either a token, or --room and --identity with LIVEKIT_API_KEY and LIVEKIT_API_SECRET in the environment',
    );
  }
  return { protocol: 'livekit', url, key: { apiKey, apiSecret, room, identity } };
}

/** A signaller to an SFU. @throws FramelockError INVALID_ARGUMENT, USAGE */
export function signallerTo(sfu: SfuAddress, token: string | undefined, clock: Clock, logger: Logger): Signaller {
  const common = { url: sfu.url, ...(token === undefined ? {} : { token }) };
  if (sfu.protocol === 'whip') return signallerFor({ whip: common }, clock, logger);
  if (sfu.protocol === 'livekit') {
    const { url, key } = sfu;
    if (key !== undefined) return signallerFor({ livekit: { url, ...key } }, clock, logger);
    if (token === undefined) throw usageError('--livekit needs --token or FRAMELOCK_TOKEN, or --room and --identity');
    return signallerFor({ livekit: { url, token } }, clock, logger);
  }
  const { room, pin } = sfu;
  return signallerFor({ janus: { ...common, room, ...(pin === undefined ? {} : { pin }) } }, clock, logger);
}
