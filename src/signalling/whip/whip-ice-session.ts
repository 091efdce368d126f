import { FramelockError, isFramelockError } from '../../core/errors.js';
import { displayUrl } from '../display-url.js';
import { exchangeHttp, type HttpAnswer, type HttpExchangeOptions } from './http-exchange.js';
import { withoutToken } from './secret.js';

/** Everything of a PATCH but what it says. */
export type PatchRequest = Omit<HttpExchangeOptions, 'method' | 'sdp' | 'contentType' | 'ifMatch' | 'signal'>;

const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';
/** What a server answers that takes no such patch at all: it would say the same again. */
const UNSUPPORTED: ReadonlySet<number> = new Set([400, 405, 415, 422, 428, 501]);
const CREDENTIALS = /^a=ice-(?:ufrag|pwd):.*$/gm;

/**
 * The ICE session of a WHIP session (RFC 9725 section 4.3), which exists where the server gave it an entity tag.
 *
 * Owner: the WHIP session.
 */
export class WhipIceSession {
  readonly #request: PatchRequest;
  /** Where patches say which m-line they are about: that of the bundle. */
  readonly #place: readonly string[];
  #etag: string;
  #credentials: readonly string[];
  #takesRestarts = true;
  #takesCandidates = true;

  /** @param offer that opened the session */
  constructor(request: PatchRequest, etag: string, offer: string) {
    this.#request = request;
    this.#etag = etag;
    this.#credentials = credentialsOf(offer);
    this.#place = [/^m=.*$/m, /^a=mid:.*$/m].flatMap((line) => line.exec(offer)?.[0].trim() ?? []);
  }

  /** Whether it has not refused a restart. */
  get takesRestarts(): boolean {
    return this.#takesRestarts;
  }

  /** Whether it has not refused candidates. */
  get takesCandidates(): boolean {
    return this.#takesCandidates;
  }

  /**
   * An ICE restart (section 4.3.3): any entity tag matches. Resolves with the server's fragment.
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED (context: `status`)
   */
  async restart(fragment: string, signal: AbortSignal): Promise<string> {
    // With quotes, as the RFC's own example has it; a server that writes its tags without (LiveKit does) reads them so, too.
    const answer = await this.#patch(fragment, this.#etag.endsWith('"') ? '"*"' : '*', signal);
    const type = answer.headers.get('content-type') ?? '';
    if (answer.status === 200 && type.trim().toLowerCase().startsWith(FRAGMENT_TYPE)) {
      this.#etag = answer.headers.get('etag') ?? this.#etag;
      this.#credentials = credentialsOf(fragment);
      return answer.body;
    }
    // What it refuses once it would refuse again.
    this.#takesRestarts = false;
    const { token } = this.#request;
    const url = withoutToken(displayUrl(answer.url), token);
    const what =
      answer.status === 200
        ? `with ${type === '' ? 'nothing' : withoutToken(type, token)}`
        : `with status ${answer.status}`;
    throw new FramelockError('SIGNALLING_REJECTED', `WHIP: ${url} answered an ICE restart ${what}`, {
      context: { status: answer.status, url },
    });
  }

  /**
   * Tells of candidates (section 4.3.1), or of none, which changes nothing. Resolves with the status of the answer.
   * @param candidates lines of SDP
   * @throws FramelockError SIGNALLING_FAILED
   */
  async tell(candidates: readonly string[], signal: AbortSignal): Promise<number> {
    const lines = [...this.#credentials, ...this.#place, ...candidates, 'a=end-of-candidates'];
    const { status } = await this.#patch(`${lines.join('\r\n')}\r\n`, this.#etag, signal);
    if (UNSUPPORTED.has(status)) this.#takesCandidates = false;
    return status;
  }

  #patch(fragment: string, ifMatch: string, signal: AbortSignal): Promise<HttpAnswer> {
    const patch = { method: 'PATCH', sdp: fragment, contentType: FRAGMENT_TYPE, ifMatch, signal } as const;
    return exchangeHttp({ ...this.#request, ...patch });
  }
}

/** Whether a request failed because nobody listens there. */
export function isRefused(error: unknown): boolean {
  return isFramelockError(error) && error.context['networkCode'] === 'ECONNREFUSED';
}

function credentialsOf(sdp: string): readonly string[] {
  return [...new Set(sdp.match(CREDENTIALS)?.map((line) => line.trim()))];
}
