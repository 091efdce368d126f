import type { OfferedCodec, OfferedMedia, SdpOffer } from './sdp-offer.js';

/** How one m-line is answered; `undefined` in its place rejects it. */
export interface AnsweredMedia {
  readonly direction: 'recvonly' | 'sendonly' | 'inactive';
  /** At least one, in order of preference, of those offered. */
  readonly codecs: readonly OfferedCodec[];
  /** Feedback messages that are understood, as `nack pli`; those that were not offered are left out. */
  readonly feedback: readonly string[];
  /** Header extensions that are taken up, by URI; those that were not offered are left out. */
  readonly extensions: readonly string[];
  /** The encodings that are taken, of those offered, for `recvonly`. @default none as such */
  readonly rids?: readonly string[];
  /** What will be sent, for `sendonly`. */
  readonly sends?: SentStream;
}

/** One track that is sent. */
export interface SentStream {
  readonly ssrc: number;
  /** Of its retransmissions (RFC 4588). @default none are sent apart */
  readonly rtxSsrc?: number;
  readonly cname: string;
  readonly trackId: string;
}

/** The answerer's side of the connection. */
export interface AnswererTransport {
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** SHA-256 fingerprint of the certificate. */
  readonly fingerprint: string;
  /** The one host candidate. */
  readonly address: string;
  readonly port: number;
}

const STREAM_ID = 'loopback';

/** Builds the answer of an ICE-lite, DTLS-passive peer with one candidate (RFC 8829, RFC 8839 section 5.3, RFC 8842). */
export function buildAnswer(
  offer: SdpOffer,
  media: readonly (AnsweredMedia | undefined)[],
  transport: AnswererTransport,
): string {
  const bundled = offer.media.filter((_, index) => media[index] !== undefined).map(({ mid }) => mid);
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    `a=group:BUNDLE ${bundled.join(' ')}`,
    'a=msid-semantic:WMS *',
  ];
  for (const [index, offered] of offer.media.entries()) {
    const answered = media[index];
    lines.push(...(answered === undefined ? rejected(offered) : accepted(offered, answered, transport)));
  }
  return `${lines.join('\r\n')}\r\n`;
}

function rejected(offered: OfferedMedia): string[] {
  const { kind, protocol, formats, mid } = offered;
  return [`m=${kind} 0 ${protocol} ${formats}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=inactive'];
}

function accepted(offered: OfferedMedia, answered: AnsweredMedia, transport: AnswererTransport): string[] {
  const { address, port } = transport;
  const payloadTypes = answered.codecs.map((codec) => codec.payloadType).join(' ');
  return [
    `m=${offered.kind} ${port} ${offered.protocol} ${payloadTypes}`,
    `c=IN IP4 ${address}`,
    `a=mid:${offered.mid}`,
    `a=${answered.direction}`,
    `a=ice-ufrag:${transport.iceUfrag}`,
    `a=ice-pwd:${transport.icePwd}`,
    `a=fingerprint:sha-256 ${transport.fingerprint}`,
    'a=setup:passive',
    // Priority of a host candidate's only component on the only interface (RFC 8445 section 5.1.2.1).
    `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`,
    'a=end-of-candidates',
    'a=rtcp-mux',
    ...(offered.reducedSizeRtcp ? ['a=rtcp-rsize'] : []),
    ...answered.codecs.flatMap((codec) => codecLines(codec, answered.feedback)),
    ...answered.extensions.flatMap((uri) => {
      const id = offered.extensions.get(uri);
      return id === undefined ? [] : [`a=extmap:${id} ${uri}`];
    }),
    ...simulcastLines(answered),
    ...sendLines(answered),
  ];
}

function codecLines(codec: OfferedCodec, feedback: readonly string[]): string[] {
  const { payloadType, name, clockRate, channels, fmtp } = codec;
  return [
    `a=rtpmap:${payloadType} ${name}/${clockRate}${channels === undefined ? '' : `/${channels}`}`,
    ...(fmtp === '' ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
    ...feedback.filter((item) => codec.feedback.includes(item)).map((item) => `a=rtcp-fb:${payloadType} ${item}`),
  ];
}

/** RFC 8853 section 5.3.2. */
function simulcastLines({ rids = [] }: AnsweredMedia): string[] {
  if (rids.length === 0) return [];
  return [...rids.map((rid) => `a=rid:${rid} recv`), `a=simulcast:recv ${rids.join(';')}`];
}

function sendLines({ sends }: AnsweredMedia): string[] {
  if (sends === undefined) return [];
  const { ssrc, rtxSsrc, cname, trackId } = sends;
  const ssrcs = rtxSsrc === undefined ? [ssrc] : [ssrc, rtxSsrc];
  return [
    `a=msid:${STREAM_ID} ${trackId}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`]),
    ...ssrcs.flatMap((source) => [`a=ssrc:${source} cname:${cname}`, `a=ssrc:${source} msid:${STREAM_ID} ${trackId}`]),
  ];
}
