import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './http-problem.js';

/**
 * Keeps web pages of other origins out: a server on loopback can be reached by every page that the user's browser shows.
 * The Host check stops DNS rebinding; the Origin check stops requests that need no CORS permission. Any port is accepted, since
 * the server may be seen through a forwarded one.
 * @throws HttpProblem 403
 */
export function refuseForeignOrigins(request: IncomingMessage): void {
  const { host = '', origin } = request.headers;
  if (!/^(127\.0\.0\.1|localhost)(:\d{1,5})?$/i.test(host)) {
    throw new HttpProblem(403, 'this server answers to 127.0.0.1 and localhost only');
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new HttpProblem(403, 'this server does not answer to pages of other origins');
  }
}
