import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
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
 * Makes a request, bounded in time, in body size and in redirects. Redirects 307 and 308 keep method and body
 * (RFC 9110 sections 15.4.8 and 15.4.9, as RFC 9725 section 4.5 asks for); any other status is the caller's to judge.
 *
 * Each has a connection of its own, which `fetch` cannot be told: requests are minutes apart, and when the machine has moved to another network a connection
 * from before waits for ever.
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
      const response = await send(options, url, signal);
      const head = { status: response.statusCode ?? 0, headers: headersOf(response), url };
      if (head.status !== 307 && head.status !== 308) {
        options.headCame?.(head);
        return { ...head, body: await readBody(response) };
      }
      response.destroy();
      url = redirectTarget(head);
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

/** Resolves with the head of the answer, whose body is to be read or destroyed. */
function send(options: HttpExchangeOptions, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, sdp = '', contentType = 'application/sdp', ifMatch, token, tokenOrigin } = options;
  const headers = {
    ...(options.sdp === undefined ? {} : { 'content-type': contentType, accept: contentType }),
    ...(method === 'OPTIONS' ? {} : { 'content-length': Buffer.byteLength(sdp) }),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(token === undefined || url.origin !== tokenOrigin ? {} : { authorization: `Bearer ${token}` }),
  };
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    request(url, { method, headers, signal, agent: false }, resolve).on('error', reject).end(sdp);
  });
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  return headers;
}

function redirectTarget({ status, headers, url: from }: HttpHead): URL {
  const target = parseHttpUrl(headers.get('location'), from);
  if (target === undefined) {
    throw new Unusable(`redirected with status ${status} to no usable Location`);
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new Unusable(`redirected from https to http (${displayUrl(target)}), which is refused`);
  }
  return target;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength;
    // Leaving the loop by throwing destroys the answer, which closes the connection.
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

/** Of the operating system or of the parser; empty if there is none. */
function networkCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function networkReason(error: unknown): string {
  const code = networkCodeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused the connection (ECONNREFUSED)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot be found by name (${code})`;
    case 'ECONNRESET':
      return `closed the connection before answering (${code})`;
    default:
      return `cannot be reached (${code === '' ? '' : `${code}: `}${describeError(error).slice(0, MAX_REASON_CHARS)})`;
  }
}
