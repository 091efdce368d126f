import { FramelockError } from '../../core/errors.js';
import type { RemoteTransport } from '../sdp/answer-transport.js';
import type { LocalCandidate, LocalTransport } from '../sdp/offer.js';
import { readSdp } from '../sdp/sdp-reader.js';

const CANDIDATE_PATTERN = /^(\S+) 1 udp (\d+) (\S+) (\d+) typ (\S+)(?: raddr (\S+) rport (\d+))?/i;
const ALGORITHM_NAMES = { sha256: 'sha-256', sha384: 'sha-384', sha512: 'sha-512' } as const;

/**
 * Takes ICE credentials, fingerprint and candidates out of the library's own description; the rest of it is never used.
 * @throws FramelockError CONNECT_FAILED: one of them is missing
 */
export function readLocalTransport(sdp: string): LocalTransport {
  const session = readSdp(sdp);
  if (typeof session === 'string') throw unreadable(session);
  const sections = [...session.media.map(({ attributes }) => attributes), session.attributes];
  const read = (name: string): string => {
    const value = sections.find((attributes) => attributes.has(name))?.first(name);
    if (value === undefined) throw unreadable(`it has no ${name}`);
    return value;
  };
  const [algorithm, fingerprint = ''] = read('fingerprint').split(' ');
  if (algorithm !== 'sha-256') throw unreadable(`its fingerprint is of ${algorithm}`);
  return {
    usernameFragment: read('ice-ufrag'),
    password: read('ice-pwd'),
    fingerprint,
    candidates: sections.flatMap((attributes) => attributes.all('candidate').flatMap(readCandidate)),
  };
}

/**
 * The answer that the library gets in place of the peer's: one m-line that says where the peer is and who it is. Tracks, codecs and header
 * extensions are between us and the peer.
 */
export function writeRemoteDescription(remote: RemoteTransport): string {
  // The library compares the peer's certificate with one: the first.
  const [fingerprint] = remote.fingerprints;
  const digest = fingerprint === undefined ? '' : `${ALGORITHM_NAMES[fingerprint.algorithm]} ${pairs(fingerprint.hex)}`;
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    ...(remote.iceLite ? ['a=ice-lite'] : []),
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtpmap:96 VP8/90000',
    'a=setup:passive',
    `a=ice-ufrag:${remote.usernameFragment}`,
    `a=ice-pwd:${remote.password}`,
    `a=fingerprint:${digest}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** The peer's candidates as the library takes them: over UDP. */
export function remoteCandidates(remote: RemoteTransport): string[] {
  return remote.candidates
    .filter(({ transport }) => transport === 'udp')
    .map(({ foundation, priority, address, port, type }) => {
      return `candidate:${foundation} 1 UDP ${priority} ${address} ${port} typ ${type}`;
    });
}

/** Hexadecimal digits as SDP writes a fingerprint. */
function pairs(hex: string): string {
  return (hex.toUpperCase().match(/../g) ?? []).join(':');
}

function readCandidate(value: string): LocalCandidate[] {
  const [, foundation, priority, address, port, type, relatedAddress, relatedPort] =
    CANDIDATE_PATTERN.exec(value) ?? [];
  if (foundation === undefined || address === undefined || type === undefined) return [];
  const related = relatedAddress === undefined ? {} : { relatedAddress, relatedPort: Number(relatedPort) };
  return [{ foundation, transport: 'udp', priority: Number(priority), address, port: Number(port), type, ...related }];
}

function unreadable(problem: string): FramelockError {
  return new FramelockError('CONNECT_FAILED', `The local description of libdatachannel cannot be used: ${problem}`);
}
