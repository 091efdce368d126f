import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import { displayUrl } from '../display-url.js';
import type { SignallingCloseResult } from '../signaller.js';
import { exchangeHttp, type HttpAnswer, parseHttpUrl } from './http-exchange.js';
import { rejectionError } from './rejection.js';
import { restartIceAt } from './whip-restart.js';

/** How long a POST whose caller gave up may still run, so that the session that it may have made can be deleted; `cutOff` ends it earlier. */
const LATE_ANSWER_GRACE_MS = 5_000;

/** Options of a {@link WhipSession}. */
export interface WhipSessionOptions {
  readonly url: URL;
  readonly token?: string;
  readonly requestTimeoutMs: number;
  readonly deleteTimeoutMs: number;
  readonly clock: Clock;
  /** Hears of answers that come when nobody waits for them any more. */
  readonly late: LateCompletionObserver;
}

/** What the server opened: the answer, and where the session can be deleted. */
interface OpenedSession {
  readonly sdp: string;
  readonly resource: URL | undefined;
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
  /** Where ICE can be restarted. */
  #restartable: URL | undefined;
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
    return this.#restartable !== undefined;
  }

  /** Brings a restart to the server and its own parameters back. @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED */
  async restartIce(fragment: string, signal?: AbortSignal): Promise<string> {
    const url = this.#restartable;
    if (url === undefined) {
      throw new FramelockError('SIGNALLING_FAILED', 'WHIP: this session takes no ICE restarts');
    }
    const given = signal === undefined ? this.#cutOff.signal : AbortSignal.any([signal, this.#cutOff.signal]);
    const { token, clock, requestTimeoutMs: timeoutMs } = this.#options;
    const request = { url, timeoutMs, clock, signal: given, tokenOrigin: this.#options.url.origin };
    try {
      return await restartIceAt(fragment, { ...request, ...(token === undefined ? {} : { token }) });
    } catch (error) {
      // What it refuses once it would refuse again.
      if (isFramelockError(error, 'SIGNALLING_REJECTED')) this.#restartable = undefined;
      throw error;
    }
  }

  /**
   * Sends the offer and resolves with the SDP answer.
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, and whatever `abandon` was called with
   */
  async open(sdp: string): Promise<string> {
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
      if (opened.etag !== null) this.#restartable = opened.resource;
      return opened.sdp;
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
    const { clock } = this.#options;
    const answer = await this.#exchange(
      'POST',
      this.#options.url,
      this.#options.requestTimeoutMs + LATE_ANSWER_GRACE_MS,
      sdp,
    );
    if (answer.status !== 201 && answer.status !== 200) throw rejectionError(answer, clock.wallUs() / 1000);
    // Possibly relative to where the answer came from (RFC 9725 section 4.2).
    const resource = parseHttpUrl(answer.headers.get('location'), answer.url);
    const etag = answer.headers.get('etag');
    if (isSdp(answer)) return { sdp: answer.body, resource, etag };
    await this.#delete(Promise.resolve({ sdp: '', resource, etag }));
    const url = displayUrl(answer.url);
    throw new FramelockError('SIGNALLING_FAILED', `WHIP: ${url} did not answer with SDP; is this the WHIP endpoint?`, {
      context: { url, status: answer.status },
    });
  }

  async #delete(post: Promise<OpenedSession> | undefined): Promise<SignallingCloseResult> {
    let resource: URL | undefined;
    try {
      if (post === undefined) return { confirmed: true };
      resource = (await post).resource;
    } catch {
      // The failed POST is reported by open(); there is no session to end.
      return { confirmed: true };
    }
    if (resource === undefined)
      return { confirmed: false, reason: 'the server named no session to delete (no Location)' };
    try {
      const { status } = await this.#exchange('DELETE', resource, this.#options.deleteTimeoutMs);
      // 404 and 410: the server ended the session by itself.
      if ((status >= 200 && status < 300) || status === 404 || status === 410) return { confirmed: true };
      return { confirmed: false, reason: `the server answered DELETE with status ${status}` };
    } catch (error) {
      return { confirmed: false, reason: describeError(error) };
    }
  }

  #exchange(method: 'POST' | 'DELETE', url: URL, timeoutMs: number, sdp?: string): Promise<HttpAnswer> {
    const { token, clock } = this.#options;
    return exchangeHttp({
      method,
      url,
      tokenOrigin: this.#options.url.origin,
      timeoutMs,
      signal: this.#cutOff.signal,
      clock,
      ...(sdp === undefined ? {} : { sdp }),
      ...(token === undefined ? {} : { token }),
    });
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

function isSdp(answer: HttpAnswer): boolean {
  const type = answer.headers.get('content-type') ?? '';
  return /^application\/sdp\s*(;|$)/i.test(type.trim()) && answer.body.startsWith('v=0');
}
