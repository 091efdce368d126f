import { isIP } from 'node:net';
import { ApiProblem } from './api-problem.js';

/**
 * Keeps the pages of other origins out: any page in a browser can send requests to this service. The `Host` check stops DNS rebinding, which
 * needs a name of the attacker's: addresses and `localhost` are let in, and names only if they are configured. The `Origin` check stops requests
 * that need no permission by CORS.
 *
 * @param allowedHosts names that this service is known by, without ports
 * @throws ApiProblem 403
 */
export function refuseForeignPages(
  { host = '', origin }: { readonly host?: string | undefined; readonly origin?: string | undefined },
  allowedHosts: readonly string[],
): void {
  if (!isOwnHost(hostName(host), allowedHosts)) {
    throw new ApiProblem(403, 'FOREIGN_HOST', 'this service does not answer to that name: add it to http.allowedHosts');
  }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw new ApiProblem(403, 'FOREIGN_ORIGIN', 'this service does not answer to pages of other origins');
  }
}

/** The name in a `Host` header (RFC 9110 section 7.2), without the port; an IPv6 address without its brackets. */
function hostName(host: string): string {
  const [, bracketed, name] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host) ?? [];
  return (bracketed ?? name ?? '').toLowerCase();
}

function isOwnHost(name: string, allowedHosts: readonly string[]): boolean {
  return name === 'localhost' || isIP(name) !== 0 || allowedHosts.some((allowed) => allowed.toLowerCase() === name);
}
