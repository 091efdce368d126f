import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { type Clock, SystemClock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import { type Random, SystemRandom } from '../../core/random.js';
import { displayUrl } from '../display-url.js';

/** Options of a `JanusSignaller`. */
export interface JanusSignallerOptions {
  /** Janus' WebSocket transport: an absolute ws or wss URL without user info, such as `ws://127.0.0.1:8188`. */
  readonly url: string;
  /** The room, which must exist: a whole number from 1, or a name where Janus is configured with `string_ids`. */
  readonly room: number | string;
  /** Of the room, where it has one; never logged. */
  readonly pin?: string;
  /** For a Janus with token authentication, and for rooms with `allowed` tokens; never logged. */
  readonly token?: string;
  /** For a Janus with an `api_secret`; never logged. */
  readonly apiSecret?: string;
  /** Our name for others in the room. @default none */
  readonly display?: string;
  /**
   * By which others subscribe to us: a whole number from 1, or a name under `string_ids`. After a connection was lost, Janus may hold an id that was given for
   * up to a minute (its `session_timeout`). @default one that Janus makes up, another each time
   */
  readonly publisherId?: number | string;
  /** Longest wait for the answer to an offer, with everything that goes before it; at least 1 ms. @default 10000 */
  readonly requestTimeoutMs?: number;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** For the pauses between attempts to come back. @default that of the operating system */
  readonly random?: Random;
}

/** Where we publish, for people. */
export interface JanusPlace {
  /** Without what may be secret. */
  readonly shownUrl: string;
  readonly room: number | string;
}

/** Options that were checked, and what all sessions of a signaller share. */
export interface JanusSettings extends JanusPlace {
  readonly url: URL;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Go with every request. */
  readonly credentials: { readonly token?: string; readonly apisecret?: string };
  /** Go with the request to join. */
  readonly participant: {
    readonly room: number | string;
    readonly id?: number | string;
    readonly display?: string;
    readonly pin?: string;
    readonly token?: string;
  };
  /** Hears of what comes when nobody waits for it any more. */
  readonly late: LateCompletionObserver;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;
const MAX_TEXT_CHARS = 1024;

/** Checks and completes options. @throws FramelockError INVALID_ARGUMENT */
export function janusSettings(options: JanusSignallerOptions, late: LateCompletionObserver): JanusSettings {
  const { pin, token, apiSecret, display, publisherId, requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = options;
  const url = parseServer(options.url);
  const room = checkedId('room', options.room);
  if (!Number.isFinite(requestTimeoutMs) || requestTimeoutMs < 1)
    throw invalid('requestTimeoutMs', 'must be at least 1');
  return {
    url,
    shownUrl: displayUrl(url),
    room,
    requestTimeoutMs,
    clock: options.clock ?? new SystemClock(),
    random: options.random ?? new SystemRandom(),
    credentials: {
      ...(token === undefined ? {} : { token: checkedText('token', token) }),
      ...(apiSecret === undefined ? {} : { apisecret: checkedText('apiSecret', apiSecret) }),
    },
    participant: {
      room,
      ...(publisherId === undefined ? {} : { id: checkedId('publisherId', publisherId) }),
      ...(display === undefined ? {} : { display: checkedText('display', display) }),
      ...(pin === undefined ? {} : { pin: checkedText('pin', pin) }),
      ...(token === undefined ? {} : { token }),
    },
    late,
  };
}

function parseServer(text: string): URL {
  if (!URL.canParse(text)) throw invalid('url', 'is not an absolute URL, such as ws://127.0.0.1:8188');
  const url = new URL(text);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw invalid('url', `must be ws or wss, not ${url.protocol.slice(0, -1)}`);
  }
  if (url.username !== '' || url.password !== '') throw invalid('url', 'must not carry user info');
  if (url.hash !== '') throw invalid('url', 'must not have a fragment (RFC 6455 section 3)');
  return url;
}

function checkedId(field: string, id: number | string): number | string {
  if (typeof id === 'string') return checkedText(field, id);
  if (!Number.isSafeInteger(id) || id < 1) throw invalid(field, 'must be a whole number from 1, or a name');
  return id;
}

function checkedText(field: string, text: string): string {
  if (typeof text !== 'string' || text.length === 0 || text.length > MAX_TEXT_CHARS || /\p{Cc}/u.test(text)) {
    throw invalid(field, `must be 1 to ${MAX_TEXT_CHARS} characters without control characters`);
  }
  return text;
}

/** The offending value stays out of the message: it may be a secret. */
function invalid(field: string, what: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `Janus: ${field} ${what}`, { context: { field } });
}
