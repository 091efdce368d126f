import { RTP_CODECS, type RtpCodec } from '../../rtp/rtp-codec.js';
import { RTX_ENCODING } from '../../rtp/rtx.js';
import type { MediaLine } from './media-lines.js';
import { encodingOf, offeredExtensions, offeredFeedback, SDP_CODECS } from './sdp-codecs.js';

/** A gathered candidate (RFC 8839 section 5.1). */
export interface LocalCandidate {
  readonly foundation: string;
  /** Over TCP we only dial (RFC 6544: active, port 9). */
  readonly transport: 'udp' | 'tcp';
  readonly priority: number;
  readonly address: string;
  readonly port: number;
  readonly type: string;
  readonly relatedAddress?: string;
  readonly relatedPort?: number;
}

/** What an offer tells of this side of the connection. */
export interface LocalTransport {
  readonly usernameFragment: string;
  readonly password: string;
  /** SHA-256 of our certificate: upper-case hexadecimal pairs with colons. */
  readonly fingerprint: string;
  readonly candidates: readonly LocalCandidate[];
}

/** Everything that an offer says. */
export interface OfferContent extends LocalTransport {
  /** Numeric session id (RFC 8866 section 5.2); the same in all offers of a connection. */
  readonly sessionId: string;
  /** Counts the offers of a connection. */
  readonly version: number;
  readonly lines: readonly MediaLine[];
  /** SDES CNAME; also names the MediaStream. */
  readonly cname: string;
}

/** `msid-appdata` is a token of at most 64 characters (RFC 8830 section 2). */
const TOKEN_PATTERN = /^[!#-'*+\-.0-9A-Z^-~]{1,64}$/;
/** Candidate types by how far they reach: the default candidate is the one most likely to work (RFC 8839 section 4.2.1.2). */
const DEFAULT_CANDIDATE_ORDER = ['relay', 'srflx', 'host'];

/**
 * Writes an offer: one bundled m-line a track, all candidates included.
 *
 * - `a=setup:active` instead of `actpass`: the DTLS handshake begins with us, at once; Janus connects a second sooner.
 * - No `a=ice-options:trickle`: we have no way to take candidates that trickle in, and Janus answers without any if we claim to.
 * - No `a=rtcp-rsize`: reports come as full compound packets (RFC 3550 section 6.1).
 */
export function writeOffer(content: OfferContent): string {
  const { address, port } = defaultCandidate(content.candidates);
  const connection = `IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`;
  const session = [
    'v=0',
    `o=- ${content.sessionId} ${content.version} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${content.lines.map(({ mid }) => mid).join(' ')}`,
    `a=msid-semantic: WMS ${content.cname}`,
  ];
  const media = content.lines.flatMap((line) => [
    `m=${RTP_CODECS[line.codec].kind} ${port} UDP/TLS/RTP/SAVPF ${payloadTypes(line).join(' ')}`,
    `c=${connection}`,
    ...transportLines(content),
    ...mediaLines(line, content.cname),
  ]);
  return `${[...session, ...media].join('\r\n')}\r\n`;
}

function transportLines(content: OfferContent): string[] {
  return [
    ...content.candidates.map(candidateLine),
    'a=end-of-candidates',
    `a=ice-ufrag:${content.usernameFragment}`,
    `a=ice-pwd:${content.password}`,
    `a=fingerprint:sha-256 ${content.fingerprint}`,
    'a=setup:active',
  ];
}

/** A candidate as an attribute of an m-line (RFC 8839 section 5.1, RFC 6544 section 4.5). */
export function candidateLine(candidate: LocalCandidate): string {
  const { foundation, transport, priority, address, port, type, relatedAddress, relatedPort } = candidate;
  const related = relatedAddress === undefined ? '' : ` raddr ${relatedAddress} rport ${relatedPort ?? 0}`;
  const tcpType = transport === 'tcp' ? ' tcptype active' : '';
  return `a=candidate:${foundation} 1 ${transport} ${priority} ${address} ${port} typ ${type}${related}${tcpType}`;
}

function mediaLines(line: MediaLine, cname: string): string[] {
  const trackToken = TOKEN_PATTERN.test(line.trackId) ? line.trackId : `track-${line.mid}`;
  return [
    `a=mid:${line.mid}`,
    ...offeredExtensions(line).map(({ id, uri }) => `a=extmap:${id} ${uri}`),
    ...(line.active ? ['a=sendonly', `a=msid:${cname} ${trackToken}`] : ['a=inactive']),
    'a=rtcp-mux',
    ...codecsOf(line).flatMap((codec) => codecLines(codec, line)),
    ...(line.active ? streamLines(line, [`cname:${cname}`, `msid:${cname} ${trackToken}`]) : []),
  ];
}

/**
 * What is sent: streams by their SSRCs, or encodings by their rids. With rids no SSRC is announced (RFC 8853 section 5.5), and an SFU learns them from the
 * packets.
 */
function streamLines(line: MediaLine, attributes: readonly string[]): string[] {
  if (line.rids.length === 0) return ssrcLines(line, attributes);
  return [...line.rids.map((rid) => `a=rid:${rid} send`), `a=simulcast:send ${line.rids.join(';')}`];
}

/** Retransmissions are a source of their own, of the same track (RFC 4588 section 8.3, RFC 5576 section 4.2). */
function ssrcLines({ ssrc, rtxSsrc }: MediaLine, attributes: readonly string[]): string[] {
  const ssrcs = rtxSsrc === undefined ? [ssrc] : [ssrc, rtxSsrc];
  const lines = ssrcs.flatMap((source) => attributes.map((attribute) => `a=ssrc:${source} ${attribute}`));
  return rtxSsrc === undefined ? lines : [`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`, ...lines];
}

function codecLines(codec: RtpCodec, { rtxSsrc, stereo, dtx, transportWideCc }: MediaLine): string[] {
  const { payloadType, rtxPayloadType, parameters } = SDP_CODECS[codec];
  const opus = `${stereo ? ';sprop-stereo=1' : ''}${dtx ? ';usedtx=1' : ''}`;
  return [
    `a=rtpmap:${payloadType} ${encodingOf(codec)}`,
    ...(parameters === undefined ? [] : [`a=fmtp:${payloadType} ${parameters}${opus}`]),
    ...offeredFeedback(codec, transportWideCc).map((feedback) => `a=rtcp-fb:${payloadType} ${feedback}`),
    ...(rtxSsrc === undefined || rtxPayloadType === undefined
      ? []
      : [`a=rtpmap:${rtxPayloadType} ${RTX_ENCODING}`, `a=fmtp:${rtxPayloadType} apt=${payloadType}`]),
  ];
}

function codecsOf({ codec, alternatives }: MediaLine): readonly RtpCodec[] {
  return [codec, ...alternatives];
}

function payloadTypes(line: MediaLine): readonly number[] {
  return codecsOf(line).flatMap((codec) => {
    const { payloadType, rtxPayloadType } = SDP_CODECS[codec];
    return line.rtxSsrc === undefined || rtxPayloadType === undefined ? [payloadType] : [payloadType, rtxPayloadType];
  });
}

function defaultCandidate(candidates: readonly LocalCandidate[]): { address: string; port: number } {
  const datagrams = candidates.filter(({ transport }) => transport === 'udp');
  const byType = DEFAULT_CANDIDATE_ORDER.map((type) => datagrams.find((candidate) => candidate.type === type));
  return byType.find((candidate) => candidate !== undefined) ?? { address: '0.0.0.0', port: 9 };
}
