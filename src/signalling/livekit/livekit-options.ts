import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { type Clock, SystemClock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import { type Random, SystemRandom } from '../../core/random.js';
import { displayUrl } from '../display-url.js';

/** Options of a `LiveKitSignaller`. */
export interface LiveKitSignallerOptions {
  /** The server: an absolute ws or wss URL without user info, such as `wss://robots.example`. */
  readonly url: string;
  /**
   * Names the room and who we are in it ({@link liveKitToken} makes one); never logged. A function is asked before each session and whenever the socket has to come back, so
   * that a token need not outlive joining. The server sends longer lasting ones while a session lasts, which are used from then on in place of a text given here.
   */
  readonly token: string | (() => string);
  /** Longest wait for the answer to an offer, with everything that goes before it; at least 1 ms. @default 10000 */
  readonly requestTimeoutMs?: number;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** For the pauses between attempts to come back. @default that of the operating system */
  readonly random?: Random;
}

/** Options that were checked, and what all sessions of a signaller share. */
export interface LiveKitSettings {
  /** Of the signalling, without parameters. */
  readonly url: URL;
  /** Without what may be secret. */
  readonly shownUrl: string;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Hears of what comes when nobody waits for it any more. */
  readonly late: LateCompletionObserver;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;
const MAX_TOKEN_CHARS = 8192;

/** Checks and completes options. @throws FramelockError INVALID_ARGUMENT */
export function liveKitSettings(options: LiveKitSignallerOptions, late: LateCompletionObserver): LiveKitSettings {
  const { requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = options;
  const server = parseServer(options.url);
  if (!Number.isFinite(requestTimeoutMs) || requestTimeoutMs < 1)
    throw invalid('requestTimeoutMs', 'must be at least 1');
  if (typeof options.token !== 'function') checkedToken(options.token);
  const url = new URL(server);
  url.pathname = `${server.pathname.replace(/\/+$/, '')}/rtc`;
  const { clock = new SystemClock(), random = new SystemRandom() } = options;
  return { url, shownUrl: displayUrl(server), requestTimeoutMs, clock, random, late };
}

/** Whether a token can be sent. */
export function isToken(token: unknown): token is string {
  return typeof token === 'string' && token.length <= MAX_TOKEN_CHARS && /^[\x21-\x7e]+$/.test(token);
}

/** @throws FramelockError INVALID_ARGUMENT: it cannot be sent */
export function checkedToken(token: unknown): string {
  if (isToken(token)) return token;
  throw invalid('token', `must be 1 to ${MAX_TOKEN_CHARS} visible ASCII characters without spaces`);
}

function parseServer(text: string): URL {
  if (!URL.canParse(text)) throw invalid('url', 'is not an absolute URL, such as ws://127.0.0.1:7880');
  const url = new URL(text);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw invalid('url', `must be ws or wss, not ${url.protocol.slice(0, -1)}`);
  }
  if (url.username !== '' || url.password !== '')
    throw invalid('url', 'must not carry user info: pass the token instead');
  if (url.search !== '' || url.hash !== '') throw invalid('url', 'must have neither query nor fragment');
  return url;
}

/** The offending value stays out of the message: it may be a secret. */
function invalid(field: string, what: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `LiveKit: ${field} ${what}`, { context: { field } });
}
