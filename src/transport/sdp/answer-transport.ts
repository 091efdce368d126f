import { isIP, SocketAddress } from 'node:net';
import { type AnswerPlace, invalidAnswer } from './answer-error.js';
import type { SdpAttributes, SdpMedia, SdpSession } from './sdp-reader.js';

/** A peer's candidate that we can use: component 1, UDP or a TCP port that listens, a literal address. */
export interface RemoteCandidate {
  readonly foundation: string;
  /** `tcp` is for us to dial (RFC 6544: its `tcptype` is passive). */
  readonly transport: 'udp' | 'tcp';
  readonly priority: number;
  /** IPv6 in its canonical form, as sockets report it. */
  readonly address: string;
  readonly port: number;
  readonly type: string;
}

/** A certificate fingerprint (RFC 8122 section 5). */
export interface Fingerprint {
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  /** Lower-case hexadecimal without separators. */
  readonly hex: string;
}

/** The peer's side of the one transport that all m-lines share. */
export interface RemoteTransport {
  readonly usernameFragment: string;
  readonly password: string;
  readonly iceLite: boolean;
  readonly fingerprints: readonly Fingerprint[];
  readonly candidates: readonly RemoteCandidate[];
  /** How many more there are whose address is a name, such as the `.local` ones of browsers; they are not looked up. */
  readonly namedCandidates: number;
}

/** An accepted m-line: its section, index and track. */
export interface AcceptedSection {
  readonly media: SdpMedia;
  readonly mLine: number;
  readonly trackId: string;
  readonly mid: string;
}

/** Candidates beyond these are ignored: every one costs connectivity checks on every local address. */
export const MAX_REMOTE_CANDIDATES = 64;

/** RFC 8839 section 5.4: ice-char, 4-256 and 22-256 of them. */
const UFRAG_PATTERN = /^[A-Za-z0-9+/]{4,256}$/;
const PASSWORD_PATTERN = /^[A-Za-z0-9+/]{22,256}$/;
const CANDIDATE_PATTERN = /^(?:candidate:)?(\S{1,32}) (\d{1,3}) (\S+) (\d{1,10}) (\S+) (\d{1,5}) typ (\S+)(.*)/;
/** RFC 6544 section 4.5. */
const PASSIVE_PATTERN = /(?:^| )tcptype passive(?: |$)/i;
/** The attribute that tells of it has 32 bits (RFC 8445 section 16.1); RFC 8839 section 5.1 allows less. */
const MAX_PRIORITY = 0xffff_ffff;
/** Component 1, UDP, at a name (RFC 8839 section 5.1, draft-ietf-mmusic-mdns-ice-candidates). */
const NAMED_CANDIDATE_PATTERN = /^(?:candidate:)?\S{1,32} 1 udp \d{1,10} [^\s:]*[a-z][^\s:]* \d{1,5} typ /i;
const DIGEST_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;

/**
 * The transport of a bundled answer. Its attributes belong to the tagged m-line, the first of the BUNDLE group; repeated on others they
 * must be the same (RFC 9143 section 7.1.3).
 * @throws FramelockError INVALID_SDP
 */
export function readRemoteTransport(session: SdpSession, accepted: readonly AcceptedSection[]): RemoteTransport {
  const tagged = taggedSection(session, accepted);
  const place = { mLine: tagged.mLine, trackId: tagged.trackId };
  const read = (section: AcceptedSection, name: string): string | undefined =>
    section.media.attributes.first(name) ?? session.attributes.first(name);

  const credentials = readCredentials((name) => read(tagged, name), place);
  const fingerprints = readFingerprints(session.attributes, tagged.media.attributes);
  if (fingerprints.length === 0) {
    throw invalidAnswer({ ...place, field: 'fingerprint' }, 'a sha-256, sha-384 or sha-512 fingerprint is needed');
  }
  const setup = read(tagged, 'setup');
  if (setup !== 'passive') {
    throw invalidAnswer({ ...place, field: 'setup' }, `it must be passive to our active, it is ${setup ?? 'missing'}`);
  }
  if (!tagged.media.attributes.has('rtcp-mux')) {
    throw invalidAnswer({ ...place, field: 'rtcp-mux' }, 'it is missing; RTCP on a port of its own is not supported');
  }
  for (const section of accepted) {
    for (const name of ['ice-ufrag', 'ice-pwd', 'setup']) {
      const value = section.media.attributes.first(name);
      if (value === undefined || value === read(tagged, name)) continue;
      const problem = `it differs from m-line ${tagged.mLine}; all m-lines share one transport`;
      throw invalidAnswer({ mLine: section.mLine, trackId: section.trackId, field: name }, problem);
    }
  }
  return {
    ...credentials,
    iceLite: session.attributes.has('ice-lite'),
    fingerprints,
    ...readCandidates([tagged, ...accepted].map(({ media }) => media.attributes)),
  };
}

/** The peer's user name and password of ICE. @throws FramelockError INVALID_SDP */
export function readCredentials(
  read: (name: string) => string | undefined,
  place: Omit<AnswerPlace, 'field'>,
): Pick<RemoteTransport, 'usernameFragment' | 'password'> {
  const usernameFragment = read('ice-ufrag') ?? '';
  if (!UFRAG_PATTERN.test(usernameFragment)) {
    throw invalidAnswer({ ...place, field: 'ice-ufrag' }, 'it is missing or malformed');
  }
  const password = read('ice-pwd') ?? '';
  if (!PASSWORD_PATTERN.test(password)) {
    throw invalidAnswer({ ...place, field: 'ice-pwd' }, 'it is missing or malformed');
  }
  return { usernameFragment, password };
}

/**
 * Later answers must come from the same peer: a restart of ICE or DTLS needs a new transport.
 * @throws FramelockError INVALID_SDP
 */
export function assertSameTransport(agreed: RemoteTransport, answered: RemoteTransport): void {
  const hasKnown = answered.fingerprints.some(({ hex }) => agreed.fingerprints.some((known) => known.hex === hex));
  const changed = [
    { field: 'ice-ufrag', same: agreed.usernameFragment === answered.usernameFragment },
    { field: 'ice-pwd', same: agreed.password === answered.password },
    { field: 'fingerprint', same: hasKnown },
  ].find(({ same }) => !same);
  if (changed !== undefined) throw invalidAnswer({ field: changed.field }, 'it changed since the first answer');
}

function taggedSection(session: SdpSession, accepted: readonly AcceptedSection[]): AcceptedSection {
  const groups = session.attributes.all('group').map((value) => value.split(' '));
  const bundled = groups.find(([semantics]) => semantics === 'BUNDLE')?.slice(1) ?? [];
  const [first, ...others] = accepted;
  if (first === undefined) throw invalidAnswer({ field: 'm=' }, 'no m-line was accepted, so there is no transport');
  const missing = accepted.find(({ mid }) => !bundled.includes(mid));
  if (others.length > 0 && missing !== undefined) {
    throw invalidAnswer({ field: 'group' }, `m-lines must share one transport, mid ${missing.mid} is not in BUNDLE`);
  }
  return accepted.find(({ mid }) => mid === bundled[0]) ?? first;
}

function readFingerprints(session: SdpAttributes, media: SdpAttributes): Fingerprint[] {
  const own = media.all('fingerprint');
  return (own.length > 0 ? own : session.all('fingerprint')).flatMap((value) => {
    const [name = '', digest = ''] = value.split(' ', 2);
    const algorithm = name.toLowerCase().replace('-', '');
    if (algorithm !== 'sha256' && algorithm !== 'sha384' && algorithm !== 'sha512') return [];
    const pattern = new RegExp(`^[0-9a-f]{2}(:[0-9a-f]{2}){${DIGEST_BYTES[algorithm] - 1}}$`, 'i');
    return pattern.test(digest) ? [{ algorithm, hex: digest.replaceAll(':', '').toLowerCase() }] : [];
  });
}

/** The candidates of these sections that we can use, each once, and the number of those that are names. */
export function readCandidates(
  sections: readonly SdpAttributes[],
): Pick<RemoteTransport, 'candidates' | 'namedCandidates'> {
  const found = new Map<string, RemoteCandidate>();
  const names = new Set<string>();
  for (const value of sections.flatMap((attributes) => attributes.all('candidate'))) {
    if (found.size === MAX_REMOTE_CANDIDATES) break;
    const candidate = readCandidate(value);
    if (candidate !== undefined) found.set(`${candidate.transport} ${candidate.address} ${candidate.port}`, candidate);
    else if (NAMED_CANDIDATE_PATTERN.test(value)) names.add(value);
  }
  return { candidates: [...found.values()], namedCandidates: names.size };
}

/** A candidate from the value of its attribute; nothing if we have no use for it (TCP that does not listen, RTCP component, a host name). */
function readCandidate(value: string): RemoteCandidate | undefined {
  const [, foundation, component, protocol, priority, host, port, type, rest] = CANDIDATE_PATTERN.exec(value) ?? [];
  if (foundation === undefined || protocol === undefined || host === undefined || type === undefined) return undefined;
  const transport = protocol.toLowerCase();
  if (component !== '1' || isIP(host) === 0) return undefined;
  if (transport !== 'udp' && !(transport === 'tcp' && PASSIVE_PATTERN.test(rest ?? ''))) return undefined;
  if (Number(port) < 1 || Number(port) > 65_535) return undefined;
  if (Number(priority) > MAX_PRIORITY) return undefined;
  const address = isIP(host) === 6 ? new SocketAddress({ address: host, family: 'ipv6' }).address : host;
  return { foundation, transport, priority: Number(priority), address, port: Number(port), type };
}
