import { createHmac } from 'node:crypto';
import { type Clock, SystemClock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';

/** What a {@link liveKitToken} permits, and to whom. */
export interface LiveKitTokenOptions {
  /** Name of the key that the server has in its configuration. */
  readonly apiKey: string;
  /** The key itself; it belongs on a server of yours rather than on a vehicle. */
  readonly apiSecret: string;
  /** The room; LiveKit makes it when the first one joins, unless it is configured not to. */
  readonly room: string;
  /** By which others know this participant. Another one who joins with it takes its place. */
  readonly identity: string;
  /** For people. @default none */
  readonly name?: string;
  /** Whether it may publish tracks. @default true */
  readonly canPublish?: boolean;
  /** Whether it may receive the tracks of others. @default false */
  readonly canSubscribe?: boolean;
  /** How long one can join with it, in seconds, at least 1; who has joined stays. @default 21600 (six hours) */
  readonly lifetimeS?: number;
  /** @default the machine's clock */
  readonly clock?: Clock;
}

const DEFAULT_LIFETIME_S = 6 * 3600;
/** Clocks of two machines may differ by this much. */
const CLOCK_SKEW_S = 10;

/**
 * A token for LiveKit, as `WhipSignaller` takes it with the server's `/whip/v1`: a JSON Web Token (RFC 7519), signed by HS256 (RFC 7515), whose `video` claim
 * names room and grants (LiveKit's documentation, "Tokens and grants").
 * @throws FramelockError INVALID_ARGUMENT
 */
export function liveKitToken(options: LiveKitTokenOptions): string {
  const { apiKey, apiSecret, room, identity, name, canPublish = true, canSubscribe = false } = options;
  const { lifetimeS = DEFAULT_LIFETIME_S, clock = new SystemClock() } = options;
  for (const [field, value] of Object.entries({ apiKey, apiSecret, room, identity })) {
    if (typeof value !== 'string' || value === '') throw invalid(field, 'must be a text that is not empty');
  }
  if (!Number.isFinite(lifetimeS) || lifetimeS < 1) throw invalid('lifetimeS', 'must be at least 1');
  const nowS = Math.floor(clock.wallUs() / 1_000_000);
  const claims = {
    iss: apiKey,
    sub: identity,
    nbf: nowS - CLOCK_SKEW_S,
    exp: nowS + Math.ceil(lifetimeS),
    ...(name === undefined ? {} : { name }),
    video: { room, roomJoin: true, canPublish, canSubscribe },
  };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', apiSecret).update(signed).digest('base64url')}`;
}

/** The offending value stays out of the message: it may be the secret. */
function invalid(field: string, what: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `LiveKit: ${field} ${what}`, { context: { field } });
}
