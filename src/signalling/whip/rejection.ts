import { FramelockError } from '../../core/errors.js';
import { displayUrl } from '../display-url.js';
import type { HttpAnswer } from './http-exchange.js';
import { withoutToken } from './secret.js';

/** Longest excerpt of a server's own words in an error message. */
const MAX_EXCERPT_CHARS = 200;

/**
 * The error for a server that refused an offer: its status, its own words, and what to do about it.
 * @param token that must not be told
 */
export function rejectionError(answer: HttpAnswer, nowWallMs: number, token: string | undefined): FramelockError {
  const retryAfterMs = parseRetryAfter(answer.headers.get('retry-after'), nowWallMs);
  const excerpt = excerptOf(answer, token);
  const url = withoutToken(displayUrl(answer.url), token);
  const message = [
    `WHIP: ${url} refused the offer with status ${answer.status}`,
    excerpt === '' ? '' : ` ("${excerpt}")`,
    `; ${remedy(answer.status)}`,
    retryAfterMs === undefined ? '' : `; it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`,
  ].join('');
  return new FramelockError('SIGNALLING_REJECTED', message, { context: { status: answer.status, url, retryAfterMs } });
}

function remedy(status: number): string {
  switch (status) {
    case 301:
    case 302:
    case 303:
      return 'it moved: use the address that it redirects to (only 307 and 308 are followed)';
    case 400:
    case 422:
      return 'it does not accept this SDP offer';
    case 401:
    case 403:
      return 'check the bearer token';
    case 404:
    case 405:
    case 410:
      return 'check the URL: there is no WHIP endpoint';
    case 406:
    case 415:
    case 488:
      return 'it supports none of the offered codecs: choose another codec';
    case 409:
      return 'it is busy: someone else may be publishing under this name';
    case 429:
    case 503:
      return 'it is busy: try again later';
    default:
      return status >= 500 ? 'the fault is on its side: see its log' : 'see its documentation';
  }
}

/** `Retry-After` in milliseconds: delay seconds or an HTTP date (RFC 9110 section 10.2.3). */
function parseRetryAfter(value: string | null, nowWallMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowWallMs);
}

function excerptOf(answer: HttpAnswer, token: string | undefined): string {
  const type = answer.headers.get('content-type') ?? '';
  if (!/^(text\/plain|application\/(problem\+)?json)\b/i.test(type)) return '';
  // Control characters of a stranger do not belong on a terminal.
  const text = withoutToken(answer.body, token)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return text.length > MAX_EXCERPT_CHARS ? `${text.slice(0, MAX_EXCERPT_CHARS)}...` : text;
}
