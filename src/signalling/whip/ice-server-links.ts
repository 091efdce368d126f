import type { IceServer } from '../../core/ice-server.js';

/** Servers beyond these are left out; one STUN and one TURN server are used. */
export const MAX_ICE_SERVERS = 16;

/** A target attribute (RFC 8288 section 3): its name, and its value in quotes or without. */
const PARAMETER = /\s*;\s*([^\s=;,"<>]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/y;

/**
 * The STUN and TURN servers that `Link` headers name by `rel="ice-server"` (RFC 9725 section 4.6). What is no such link is passed over, and so are
 * credentials that are no password.
 */
export function readIceServers(header: string | null): readonly IceServer[] {
  const servers: IceServer[] = [];
  if (header === null) return servers;
  for (let at = header.indexOf('<'); at >= 0 && servers.length < MAX_ICE_SERVERS; at = header.indexOf('<', at)) {
    const end = header.indexOf('>', at);
    if (end < 0) break;
    // LiveKit escapes the question mark (RFC 7065 has it as it is).
    const urls = header
      .slice(at + 1, end)
      .trim()
      .replace(/%3F/i, '?');
    const parameters = new Map<string, string>();
    at = end + 1;
    for (PARAMETER.lastIndex = at; ; at = PARAMETER.lastIndex) {
      const [matched, name = '', quoted, plain = ''] = PARAMETER.exec(header) ?? [];
      if (matched === undefined) break;
      // The first one counts, as for `rel` (RFC 8288 section 3.3).
      const key = name.toLowerCase();
      if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(.)/g, '$1') ?? plain);
    }
    const server = serverOf(urls, parameters);
    if (server !== undefined) servers.push(server);
  }
  return servers;
}

function serverOf(urls: string, parameters: ReadonlyMap<string, string>): IceServer | undefined {
  const relations = parameters.get('rel')?.toLowerCase().split(/\s+/) ?? [];
  if (!relations.includes('ice-server') || !/^(stun|turns?):[^\s<>"]+$/i.test(urls)) return undefined;
  const username = parameters.get('username');
  const credential = parameters.get('credential');
  const isPassword = (parameters.get('credential-type') ?? 'password').toLowerCase() === 'password';
  if (username === undefined || credential === undefined || !isPassword) {
    return urls.toLowerCase().startsWith('stun') ? { urls } : undefined;
  }
  return { urls, username, credential };
}
