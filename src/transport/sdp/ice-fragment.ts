import { RTP_CODECS } from '../../rtp/rtp-codec.js';
import { invalidAnswer } from './answer-error.js';
import { type RemoteTransport, readCandidates, readCredentials } from './answer-transport.js';
import type { MediaLine } from './media-lines.js';
import { candidateLine, type LocalCandidate } from './offer.js';
import { SDP_CODECS } from './sdp-codecs.js';
import { readSdp } from './sdp-reader.js';

/** What a fragment tells of us. */
export interface IceDescription {
  readonly usernameFragment: string;
  readonly password: string;
  readonly candidates: readonly LocalCandidate[];
}

/** Longest fragment that is read, in characters. */
export const MAX_FRAGMENT_CHARS = 64 * 1024;

/**
 * `application/trickle-ice-sdpfrag` (RFC 8840 section 9) for an ICE restart: user name, password and all candidates, below the m-line that stands
 * for the whole bundle (RFC 9725 section 4.3.3).
 */
export function writeIceFragment(local: IceDescription, lines: readonly MediaLine[]): string {
  const [tagged] = lines;
  const media =
    tagged === undefined
      ? []
      : [
          `m=${RTP_CODECS[tagged.codec].kind} 9 UDP/TLS/RTP/SAVPF ${SDP_CODECS[tagged.codec].payloadType}`,
          `a=mid:${tagged.mid}`,
        ];
  const fragment = [
    `a=group:BUNDLE ${lines.map(({ mid }) => mid).join(' ')}`,
    ...media,
    `a=ice-ufrag:${local.usernameFragment}`,
    `a=ice-pwd:${local.password}`,
    ...local.candidates.map(candidateLine),
    'a=end-of-candidates',
  ];
  return `${fragment.join('\r\n')}\r\n`;
}

/**
 * The peer after its ICE restart. What a fragment does not tell stays as it was: fingerprints, and candidates if it names none (RFC 9725
 * section 4.3.3 makes them optional).
 * @throws FramelockError INVALID_SDP, also if user name and password are still the old ones: the peer has not restarted then
 */
export function readIceFragment(text: string, known: RemoteTransport): RemoteTransport {
  if (text.length > MAX_FRAGMENT_CHARS) throw invalidAnswer({ field: 'sdpfrag' }, `it has ${text.length} characters`);
  const session = readSdp(`v=0\r\n${text}`);
  if (typeof session === 'string') throw invalidAnswer({ field: 'sdpfrag' }, session);
  const sections = [...session.media.map(({ attributes }) => attributes), session.attributes];
  const credentials = readCredentials((name) => sections.find((attributes) => attributes.has(name))?.first(name), {});
  if (credentials.usernameFragment === known.usernameFragment || credentials.password === known.password) {
    throw invalidAnswer({ field: 'ice-ufrag' }, 'it is the one from before: the peer has not restarted ICE');
  }
  const { candidates, namedCandidates } = readCandidates(sections);
  return {
    ...known,
    ...credentials,
    iceLite: known.iceLite || session.attributes.has('ice-lite'),
    candidates: candidates.length > 0 ? candidates : known.candidates,
    namedCandidates,
  };
}
