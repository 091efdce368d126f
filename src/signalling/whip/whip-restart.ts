import { FramelockError } from '../../core/errors.js';
import { displayUrl } from '../display-url.js';
import { exchangeHttp, type HttpExchangeOptions } from './http-exchange.js';
import { withoutToken } from './secret.js';

const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

/**
 * An ICE restart by PATCH (RFC 9725 section 4.3.3): `If-Match: "*"` says that this is a restart, whatever the entity tag of the ICE session is now.
 * Resolves with the server's fragment.
 * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED (context: `status`)
 */
export async function restartIceAt(
  fragment: string,
  request: Omit<HttpExchangeOptions, 'method' | 'sdp' | 'contentType' | 'ifMatch'>,
): Promise<string> {
  // With quotes, as the RFC's own example writes it and servers expect it.
  const answer = await exchangeHttp({
    ...request,
    method: 'PATCH',
    sdp: fragment,
    contentType: FRAGMENT_TYPE,
    ifMatch: '"*"',
  });
  const type = answer.headers.get('content-type') ?? '';
  if (answer.status === 200 && type.trim().toLowerCase().startsWith(FRAGMENT_TYPE)) return answer.body;
  const url = withoutToken(displayUrl(answer.url), request.token);
  const what =
    answer.status === 200
      ? `with ${type === '' ? 'nothing' : withoutToken(type, request.token)}`
      : `with status ${answer.status}`;
  throw new FramelockError('SIGNALLING_REJECTED', `WHIP: ${url} answered an ICE restart ${what}`, {
    context: { status: answer.status, url },
  });
}
