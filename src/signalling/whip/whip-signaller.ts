import { LateCompletions } from '../../concurrency/late-completions.js';
import { type Clock, SystemClock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import { type Logger, silentLogger } from '../../core/logger.js';
import { displayUrl } from '../display-url.js';
import type { SessionVerdict, Signaller, SignallingAnswer, SignallingCloseResult } from '../signaller.js';
import { WhipSession } from './whip-session.js';

/** Longest time that {@link WhipSignaller.close} takes. */
export const CLOSE_TIMEOUT_MS = 1_000;
/** The same of a session that the server did not vouch for: most likely there is nothing left to end. */
const UNCONFIRMED_CLOSE_TIMEOUT_MS = 200;

const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;

/** Options of a {@link WhipSignaller}. */
export interface WhipSignallerOptions {
  /** The WHIP endpoint: an absolute http or https URL without user info. */
  readonly url: string;
  /** Bearer token (RFC 6750); sent to the origin of `url` only, and never logged. */
  readonly token?: string;
  /** Longest wait for the answer to an offer, redirects included; at least 1 ms. @default 10000 */
  readonly requestTimeoutMs?: number;
  /** Is warned of servers that do not keep to the RFC. @default nowhere */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
}

/**
 * WHIP (RFC 9725): one POST with all candidates in the offer, one DELETE at the end. Where the server gives the session an entity tag, ICE is restarted by
 * PATCH (section 4.3.3), and from the next offer on candidates that take long follow by PATCH (section 4.3.1).
 *
 * The instance may be used again after `close()`: every `offer` is a new session at the server. Each session is pinned by the call
 * that works on it, so an answer that comes after `close()`, an abort or a timeout ends only its own session, by DELETE.
 */
export class WhipSignaller implements Signaller {
  readonly description: string;
  readonly canRenegotiate = false;
  readonly #options: WhipSignallerOptions;
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #requestTimeoutMs: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #iceServers: readonly IceServer[] = [];
  /** Whether the last session that came to be could. */
  #couldTrickle = false;
  readonly #late: LateCompletions;
  /** The last session that was begun and not closed; changed only synchronously, before any await. */
  #current: WhipSession | undefined;
  /** The end of the last session, so that every `close()` tells the same result. */
  #ending: Promise<SignallingCloseResult> = Promise.resolve({ confirmed: true });

  /**
   * @param late counts what nobody waits for any more, where others count with it
   * @throws FramelockError INVALID_ARGUMENT
   */
  constructor(options: WhipSignallerOptions, late = new LateCompletions()) {
    this.#options = options;
    this.#late = late;
    this.#url = parseEndpoint(options.url);
    this.#token = checkedToken(options.token);
    this.#requestTimeoutMs = checkedTimeout(options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS);
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? new SystemClock();
    this.description = `WHIP ${displayUrl(this.#url)}`;
  }

  /** What the server answered when nobody waited for it any more, by kind: `answer` (its session is deleted) or `refusal`. */
  get lateCompletions(): Readonly<Record<string, number>> {
    return this.#late.byKind();
  }

  /**
   * The STUN and TURN servers of the last answer that named any (`Link` with `rel="ice-server"`, RFC 9725 section 4.6). An offer holds all candidates, so
   * they serve from the next one on: the second attempt of a connect that finds no way to the SFU, and later connections.
   */
  get iceServers(): readonly IceServer[] {
    return this.#iceServers;
  }

  /**
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED (context: `status`, `retryAfterMs`), CLOSED (closed or aborted
   * meanwhile), INVALID_ARGUMENT (a session is open already)
   */
  async offer(sdp: string, signal?: AbortSignal): Promise<SignallingAnswer> {
    if (this.#current !== undefined && !this.#current.failed) {
      throw new FramelockError('INVALID_ARGUMENT', 'WHIP: a session is open already; close() it before the next offer');
    }
    if (signal?.aborted === true) throw abortedError();
    const session = new WhipSession({
      url: this.#url,
      ...(this.#token === undefined ? {} : { token: this.#token }),
      requestTimeoutMs: this.#requestTimeoutMs,
      deleteTimeoutMs: CLOSE_TIMEOUT_MS,
      clock: this.#clock,
      logger: this.#logger,
      late: this.#late,
    });
    this.#current = session;
    const onAbort = (): void => session.abandon(abortedError());
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const opened = await session.open(sdp);
      if (opened.iceServers.length > 0) this.#iceServers = opened.iceServers;
      return { sdp: opened.sdp };
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** What the last session has shown; a server that was never spoken to gets offers with all candidates. */
  get canTrickle(): boolean {
    return this.#current === undefined || this.#current.failed ? this.#couldTrickle : this.#current.canTrickle;
  }

  /**
   * One PATCH with the entity tag (RFC 9725 section 4.3.1). A server that refuses it (405, 422, 501) is not asked again, and its offers have all candidates
   * from then on.
   */
  async trickle(candidates: readonly string[], signal: AbortSignal): Promise<boolean> {
    return this.#current?.trickle(candidates, signal) ?? false;
  }

  get canRestartIce(): boolean {
    return this.#current?.canRestartIce === true;
  }

  /**
   * One PATCH. A server that refuses it (405, 412, 422, 501, or that the session is gone) is not asked again in this session.
   * @throws FramelockError SIGNALLING_FAILED (also if aborted or closed meanwhile), SIGNALLING_REJECTED (context: `status`)
   */
  async restartIce(fragment: string, signal?: AbortSignal): Promise<string> {
    const session = this.#current;
    if (session === undefined) throw new FramelockError('SIGNALLING_FAILED', 'WHIP: no session is open');
    return session.restartIce(fragment, signal);
  }

  /**
   * A PATCH of the session that tells nothing new, and beside it OPTIONS of the endpoint, which tells whether the server can be reached at all. Without an
   * entity tag only the latter, from which nothing is learnt but that nobody listens. Never rejects.
   */
  async confirm(signal: AbortSignal): Promise<SessionVerdict> {
    return this.#current?.confirm(signal) ?? 'unknown';
  }

  /** For another session at the same endpoint; it knows the ICE servers that were named, and whether candidates may follow. */
  beside(): WhipSignaller {
    const other = new WhipSignaller(this.#options, this.#late);
    other.#iceServers = this.#iceServers;
    other.#couldTrickle = this.canTrickle;
    return other;
  }

  /** Deletes the session. What is not done after a second is cut off: nothing runs on when it resolves. */
  async close(): Promise<SignallingCloseResult> {
    const session = this.#current;
    if (session === undefined) return this.#ending;
    this.#current = undefined;
    if (!session.failed) this.#couldTrickle = session.canTrickle;
    session.abandon(new FramelockError('CLOSED', 'WHIP: closed before the answer came'));
    this.#ending = this.#bounded(session);
    return this.#ending;
  }

  #bounded(session: WhipSession): Promise<SignallingCloseResult> {
    const timeoutMs = session.verdict === 'unconfirmed' ? UNCONFIRMED_CLOSE_TIMEOUT_MS : CLOSE_TIMEOUT_MS;
    return new Promise((resolve) => {
      const reason = `no confirmation within ${timeoutMs} ms; the server has to end the session by itself`;
      const timer = this.#clock.setTimer(timeoutMs, () => {
        resolve({ confirmed: false, reason });
        session.cutOff();
      });
      void session.end().then((result) => {
        timer.cancel();
        resolve(result);
      });
    });
  }
}

function abortedError(): FramelockError {
  return new FramelockError('CLOSED', 'WHIP: the offer was aborted by its caller');
}

function parseEndpoint(text: string): URL {
  if (!URL.canParse(text)) throw invalid('url', 'is not an absolute URL, such as http://127.0.0.1:8080/whip/demo');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid('url', `must be http or https, not ${url.protocol.slice(0, -1)}`);
  }
  if (url.username !== '' || url.password !== '')
    throw invalid('url', 'must not carry user info: pass the token instead');
  return url;
}

function checkedToken(token: string | undefined): string | undefined {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw invalid('token', 'must be visible ASCII without spaces, and not empty');
  }
  return token;
}

function checkedTimeout(timeoutMs: number): number {
  if (!Number.isFinite(timeoutMs) || timeoutMs < 1) throw invalid('requestTimeoutMs', 'must be at least 1');
  return timeoutMs;
}

/** The offending value stays out of the message: it may be a secret. */
function invalid(field: string, what: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `WHIP: ${field} ${what}`, { context: { field } });
}
