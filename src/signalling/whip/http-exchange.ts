import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import { displayUrl } from '../display-url.js';
import { withoutToken } from './secret.js';

/** Longest response body that is read. An SDP answer of 32 cameras is about 40 KiB. */
export const MAX_BODY_BYTES = 256 * 1024;

/** Redirects followed before giving up. */
export const MAX_REDIRECTS = 5;

/** Longest excerpt of a network error in an error message: some quote a header of the server in full. */
const MAX_REASON_CHARS = 200;

/** A response without its body. */
export interface HttpHead {
  readonly status: number;
  readonly headers: Headers;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

/** A response that has been read completely. */
export interface HttpAnswer extends HttpHead {
  readonly body: string;
}

/** One request, redirects included. */
export interface HttpExchangeOptions {
  readonly method: 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly url: URL;
  /** An SDP body, for POST and PATCH. */
  readonly sdp?: string;
  /** Told of the answer before its body is read: what comes of that is not known yet. */
  readonly headCame?: (head: HttpHead) => void;
  /** Of that body, and of the answer that is asked for. @default application/sdp */
  readonly contentType?: string;
  /** Precondition, as RFC 9110 section 13.1.1 writes it. */
  readonly ifMatch?: string;
  /** Bearer token; sent to `tokenOrigin` only. */
  readonly token?: string;
  /** The one origin that may see the token. */
  readonly tokenOrigin: string;
  /** For the whole exchange: connecting, redirects and the body. */
  readonly timeoutMs: number;
  /** Ends the exchange and its connection at once. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Makes a request over `fetch`, bounded in time, in body size and in redirects. Redirects 307 and 308 keep method and body
 * (RFC 9110 sections 15.4.8 and 15.4.9, as RFC 9725 section 4.5 asks for); any other status is the caller's to judge.
 * @throws FramelockError SIGNALLING_FAILED
 */
export async function exchangeHttp(options: HttpExchangeOptions): Promise<HttpAnswer> {
  const timeout = new AbortController();
  const timer = options.clock.setTimer(options.timeoutMs, () => timeout.abort());
  const signal = AbortSignal.any([timeout.signal, options.signal]);
  let url = options.url;
  const failure = (what: string, cause?: unknown): FramelockError => failureAt(url, what, options.token, cause);
  try {
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await fetch(url, { ...requestInit(options, url), signal });
      if (response.status !== 307 && response.status !== 308) {
        const head = { status: response.status, headers: response.headers, url };
        options.headCame?.(head);
        return { ...head, body: await readBody(response) };
      }
      await response.body?.cancel();
      url = redirectTarget(response, url);
    }
    throw failure(`redirected more than ${MAX_REDIRECTS} times`);
  } catch (error) {
    if (error instanceof FramelockError) throw error;
    if (error instanceof Unusable) throw failure(error.message);
    if (options.signal.aborted) throw failure('was not waited for any longer', error);
    if (timeout.signal.aborted) throw failure(`did not answer within ${options.timeoutMs} ms`, error);
    throw failure(networkReason(error), error);
  } finally {
    timer.cancel();
  }
}

/** An http or https URL without user info, resolved against `base`; `undefined` for anything else. */
export function parseHttpUrl(text: string | null, base: URL): URL | undefined {
  if (text === null || !URL.canParse(text, base.href)) return undefined;
  const url = new URL(text, base);
  // fetch refuses them, and quotes them in its error.
  url.username = '';
  url.password = '';
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

function requestInit(options: HttpExchangeOptions, url: URL): RequestInit {
  const headers = new Headers();
  if (options.sdp !== undefined) {
    headers.set('content-type', options.contentType ?? 'application/sdp');
    headers.set('accept', options.contentType ?? 'application/sdp');
  }
  if (options.ifMatch !== undefined) headers.set('if-match', options.ifMatch);
  if (options.token !== undefined && url.origin === options.tokenOrigin) {
    headers.set('authorization', `Bearer ${options.token}`);
  }
  return { method: options.method, headers, body: options.sdp ?? null, redirect: 'manual' };
}

function redirectTarget(response: Response, from: URL): URL {
  const location = response.headers.get('location');
  const target = parseHttpUrl(location, from);
  if (target === undefined) {
    throw new Unusable(`redirected with status ${response.status} to no usable Location`);
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new Unusable(`redirected from https to http (${displayUrl(target)}), which is refused`);
  }
  return target;
}

async function readBody(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  for await (const chunk of response.body) {
    sizeBytes += chunk.byteLength;
    // Leaving the loop by throwing cancels the body, which closes the connection.
    if (sizeBytes > MAX_BODY_BYTES) throw new Unusable(`answered with more than ${MAX_BODY_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What a server answered cannot be gone on with; the message says why. */
class Unusable extends Error {}

function failureAt(url: URL, what: string, token: string | undefined, cause?: unknown): FramelockError {
  const shown = withoutToken(displayUrl(url), token);
  const message = withoutToken(`WHIP: ${shown} ${what}; is the SFU running at ${url.origin}?`, token);
  const networkCode = networkCodeOf(cause);
  const context = { url: shown, ...(networkCode === '' ? {} : { networkCode }) };
  return new FramelockError('SIGNALLING_FAILED', message, { cause, context });
}

/** `fetch` hides the reason in the cause of a TypeError that only says "fetch failed". */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

/** Of the operating system or of fetch; empty if there is none. */
function networkCodeOf(error: unknown): string {
  const cause = causeOf(error);
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

function networkReason(error: unknown): string {
  const cause = causeOf(error);
  const code = networkCodeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused the connection (ECONNREFUSED)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot be found by name (${code})`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `closed the connection before answering (${code})`;
    default:
      return `cannot be reached (${code === '' ? '' : `${code}: `}${describeError(cause).slice(0, MAX_REASON_CHARS)})`;
  }
}
