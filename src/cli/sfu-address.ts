import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { JanusSignaller } from '../signalling/janus/janus-signaller.js';
import type { Signaller } from '../signalling/signaller.js';
import { WhipSignaller } from '../signalling/whip/whip-signaller.js';
import { usageError } from './usage-error.js';

/** Where to publish, and how it is spoken to. */
export type SfuAddress =
  | { readonly protocol: 'whip'; readonly url: string }
  | {
      readonly protocol: 'janus';
      readonly url: string;
      readonly room: number | string;
      readonly pin: string | undefined;
    };

/** Options that name an SFU, for `parseArgs`. */
export const SFU_OPTIONS = {
  whip: { type: 'string' },
  janus: { type: 'string' },
  room: { type: 'string' },
  pin: { type: 'string' },
} as const;

/**
 * Reads where to publish.
 * @param environment for `FRAMELOCK_PIN`, which keeps a pin out of the process list
 * @throws FramelockError USAGE
 */
export function parseSfuAddress(
  values: { readonly [option in keyof typeof SFU_OPTIONS]?: string },
  environment: NodeJS.ProcessEnv,
): SfuAddress {
  const { whip, janus, room, pin } = values;
  if ((whip === undefined) === (janus === undefined)) {
    throw usageError('publish needs either --whip URL, the WHIP endpoint of the SFU, or --janus URL with --room ROOM');
  }
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

/** A signaller to an SFU. @throws FramelockError INVALID_ARGUMENT */
export function signallerTo(sfu: SfuAddress, token: string | undefined, clock: Clock, logger: Logger): Signaller {
  const common = { url: sfu.url, clock, ...(token === undefined ? {} : { token }) };
  if (sfu.protocol === 'whip') return new WhipSignaller({ ...common, logger });
  return new JanusSignaller({ ...common, room: sfu.room, ...(sfu.pin === undefined ? {} : { pin: sfu.pin }) });
}
