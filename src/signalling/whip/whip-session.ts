import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import type { Logger } from '../../core/logger.js';
import { displayUrl } from '../display-url.js';
import type { SessionVerdict, SignallingCloseResult } from '../signaller.js';
import { exchangeHttp, type HttpAnswer, type HttpHead, parseHttpUrl } from './http-exchange.js';
import { readIceServers } from './ice-server-links.js';
import { rejectionError } from './rejection.js';
import { withoutToken } from './secret.js';
import { confirmSession } from './whip-confirmation.js';
import { type PatchRequest, WhipIceSession } from './whip-ice-session.js';

/** How long a POST whose caller gave up may still run, so that the session that it may have made can be deleted; `cutOff` ends it earlier. */
const LATE_ANSWER_GRACE_MS = 5_000;

/** How long a server is asked for a session before nothing is known. */
const CONFIRM_TIMEOUT_MS = 2_500;

/** Options of a {@link WhipSession}. */
export interface WhipSessionOptions {
  readonly url: URL;
  readonly token?: string;
  readonly requestTimeoutMs: number;
  readonly deleteTimeoutMs: number;
  readonly clock: Clock;
  /** Is warned of servers that do not keep to the RFC, where that has consequences. */
  readonly logger: Logger;
  /** Hears of answers that come when nobody waits for them any more. */
  readonly late: LateCompletionObserver;
}

/** What the server opened. */
export interface OpenedSession {
  readonly sdp: string;
  /** Where it can be deleted. */
  readonly resource: URL | undefined;
  /** STUN and TURN servers that the server recommends. */
  readonly iceServers: readonly IceServer[];
  /** Entity tag of its ICE session; a server without one takes no PATCH (RFC 9725 section 4.3.1). */
  readonly etag: string | null;
}

/**
 * One POST and the DELETE that belongs to it. The POST is never cancelled when its caller gives up: the server may have made a
 * session already, and only the answer tells where to delete it. What is still under way then ends by itself or by `cutOff`. Used once.
 */
export class WhipSession {
  readonly #options: WhipSessionOptions;
  #post: Promise<OpenedSession> | undefined;
  #giveUp: ((reason: FramelockError) => void) | undefined;
  #end: Promise<SignallingCloseResult> | undefined;
  #failed = false;
  /** Where the server takes patches of it. */
  #ice: WhipIceSession | undefined;
  #verdict: SessionVerdict = 'open';
  readonly #cutOff = new AbortController();

  constructor(options: WhipSessionOptions) {
    this.#options = options;
  }

  /** Whether `open` has failed; a session that may still come into being is deleted behind the scenes. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether the server has said that it takes ICE restarts, and not refused one. */
  get canRestartIce(): boolean {
    return this.#ice?.takesRestarts === true;
  }

  /** What the server last said of it. */
  get verdict(): SessionVerdict {
    return this.#verdict;
  }

  /** Brings a restart to the server and its own parameters back. @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED */
  async restartIce(fragment: string, signal?: AbortSignal): Promise<string> {
    if (this.#ice === undefined || !this.canRestartIce) {
      throw new FramelockError('SIGNALLING_FAILED', 'WHIP: this session takes no ICE restarts');
    }
    return this.#ice.restart(fragment, this.#orCutOff(signal));
  }

  /** Whether the server takes candidates after the offer, as far as is known. */
  get canTrickle(): boolean {
    return this.#ice?.takesCandidates === true;
  }

  /** Tells of candidates; resolves with whether the server took them. Never rejects. */
  async trickle(candidates: readonly string[], signal: AbortSignal): Promise<boolean> {
    if (this.#ice === undefined || !this.canTrickle) return false;
    try {
      const status = await this.#ice.tell(candidates, this.#orCutOff(signal));
      return status >= 200 && status < 300;
    } catch (error) {
      this.#options.logger.warn('WHIP: the server was not told of further candidates', { error: describeError(error) });
      return false;
    }
  }

  /** Asks the server whether it still has the session. Never rejects. */
  async confirm(signal: AbortSignal): Promise<SessionVerdict> {
    const { clock, url } = this.#options;
    const ice = this.#ice?.takesCandidates === true ? this.#ice : undefined;
    const reach = (given: AbortSignal) =>
      exchangeHttp({ ...this.#request(url, CONFIRM_TIMEOUT_MS), method: 'OPTIONS', signal: given });
    const ask = ice && ((given: AbortSignal) => ice.tell([], given));
    this.#verdict = await confirmSession({
      clock,
      signal: this.#orCutOff(signal),
      reach,
      ...(ask === undefined ? {} : { ask }),
    });
    return this.#verdict;
  }

  /**
   * Sends the offer and resolves with what the server opened.
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, and whatever `abandon` was called with
   */
  async open(sdp: string): Promise<OpenedSession> {
    const { clock, requestTimeoutMs, late } = this.#options;
    const waiting = new Lifetime('the wait for the answer', late);
    const post = this.#send(sdp);
    this.#post = post;
    const givenUp = new Promise<never>((_, reject) => {
      this.#giveUp = reject;
    });
    void post.then(
      () => waiting.enter('answer'),
      () => waiting.enter('refusal'),
    );
    const timer = waiting.clock(clock).setTimer(requestTimeoutMs, () => this.abandon(this.#timeoutError()));
    try {
      const opened = await Promise.race([post, givenUp]);
      if (opened.etag !== null && opened.resource !== undefined) {
        this.#ice = new WhipIceSession(this.#request(opened.resource, requestTimeoutMs), opened.etag, sdp);
      }
      this.#warnOf(opened);
      return opened;
    } catch (error) {
      this.#failed = true;
      throw error;
    } finally {
      timer.cancel();
      waiting.end();
    }
  }

  /** Rejects a pending `open` with `reason`; the session that its POST may still open is deleted. */
  abandon(reason: FramelockError): void {
    this.#giveUp?.(reason);
    void this.end();
  }

  /** Deletes the session once the server has told where it is. Idempotent; never rejects. */
  end(): Promise<SignallingCloseResult> {
    this.#end ??= this.#delete(this.#post);
    return this.#end;
  }

  /** Breaks off whatever request still runs, with its connection. A session that the server has opened is then left to the server. */
  cutOff(): void {
    this.#cutOff.abort();
  }

  async #send(sdp: string): Promise<OpenedSession> {
    const { clock, token, url, requestTimeoutMs } = this.#options;
    let resource: URL | undefined;
    try {
      const answer = await this.#exchange('POST', url, requestTimeoutMs + LATE_ANSWER_GRACE_MS, sdp, (head) => {
        // Possibly relative to where the answer came from (RFC 9725 section 4.2).
        if (head.status >= 200 && head.status < 300) resource = parseHttpUrl(head.headers.get('location'), head.url);
      });
      if (answer.status !== 201 && answer.status !== 200) throw rejectionError(answer, clock.wallUs() / 1000, token);
      if (!isSdp(answer)) throw noSdpError(answer, token);
      return {
        sdp: answer.body,
        resource,
        iceServers: readIceServers(answer.headers.get('link')),
        etag: answer.headers.get('etag'),
      };
    } catch (error) {
      // The server has opened a session, and what it then said of it was of no use, or never came to its end.
      if (resource !== undefined) await this.#deleteAt(resource);
      throw error;
    }
  }

  #warnOf({ resource }: OpenedSession): void {
    if (resource !== undefined) return;
    const message = 'WHIP: the server named no session (no Location): it cannot be told of the end';
    this.#options.logger.warn(message, { url: displayUrl(this.#options.url) });
  }

  async #delete(post: Promise<OpenedSession> | undefined): Promise<SignallingCloseResult> {
    let resource: URL | undefined;
    try {
      if (post === undefined) return { confirmed: true };
      resource = (await post).resource;
    } catch {
      // The failed POST is reported by open(), and has ended what it had opened.
      return { confirmed: true };
    }
    if (this.#verdict === 'gone') return { confirmed: true };
    if (resource === undefined)
      return { confirmed: false, reason: 'the server named no session to delete (no Location)' };
    return this.#deleteAt(resource);
  }

  async #deleteAt(resource: URL): Promise<SignallingCloseResult> {
    try {
      const { status } = await this.#exchange('DELETE', resource, this.#options.deleteTimeoutMs);
      // 404 and 410: the server ended the session by itself.
      if ((status >= 200 && status < 300) || status === 404 || status === 410) return { confirmed: true };
      return { confirmed: false, reason: `the server answered DELETE with status ${status}` };
    } catch (error) {
      return { confirmed: false, reason: describeError(error) };
    }
  }

  #exchange(
    method: 'POST' | 'DELETE',
    url: URL,
    timeoutMs: number,
    sdp?: string,
    headCame?: (head: HttpHead) => void,
  ): Promise<HttpAnswer> {
    return exchangeHttp({
      ...this.#request(url, timeoutMs),
      method,
      signal: this.#cutOff.signal,
      ...(sdp === undefined ? {} : { sdp }),
      ...(headCame === undefined ? {} : { headCame }),
    });
  }

  #request(url: URL, timeoutMs: number): PatchRequest {
    const { token, clock } = this.#options;
    const tokenOrigin = this.#options.url.origin;
    return { url, tokenOrigin, timeoutMs, clock, ...(token === undefined ? {} : { token }) };
  }

  #orCutOff(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#cutOff.signal : AbortSignal.any([signal, this.#cutOff.signal]);
  }

  #timeoutError(): FramelockError {
    const { url, requestTimeoutMs } = this.#options;
    const shown = displayUrl(url);
    return new FramelockError(
      'SIGNALLING_FAILED',
      `WHIP: ${shown} did not answer within ${requestTimeoutMs} ms; is the SFU running at ${url.origin}?`,
      { context: { url: shown, timeoutMs: requestTimeoutMs } },
    );
  }
}

/** A server that does not say what it answers with is believed if that looks like SDP; one that says it is something else is believed, too. */
function isSdp(answer: HttpAnswer): boolean {
  const type = answer.headers.get('content-type') ?? 'application/sdp';
  return /^application\/sdp\s*(;|$)/i.test(type.trim()) && answer.body.startsWith('v=0');
}

function noSdpError(answer: HttpAnswer, token: string | undefined): FramelockError {
  const url = withoutToken(displayUrl(answer.url), token);
  return new FramelockError('SIGNALLING_FAILED', `WHIP: ${url} did not answer with SDP; is this the WHIP endpoint?`, {
    context: { url, status: answer.status },
  });
}
