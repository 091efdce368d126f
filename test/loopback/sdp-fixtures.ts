const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':');

/** The parts of an offer that tests vary. */
export interface OfferParts {
  readonly setup?: string;
  readonly fingerprint?: string;
  readonly media?: readonly string[];
}

/** One video m-line; `lines` are added at its end. */
export function videoSection(mid: string, direction: string, lines: readonly string[] = []): string {
  return [
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98',
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
    'a=ice-ufrag:user',
    'a=ice-pwd:0123456789012345678901',
    'a=rtpmap:96 VP8/90000',
    'a=rtcp-fb:96 nack',
    'a=rtcp-fb:96 nack pli',
    'a=rtcp-fb:* transport-cc',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:98 H264/90000',
    'a=fmtp:98 packetization-mode=1;profile-level-id=42e01f',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    ...lines,
  ].join('\r\n');
}

/** A bundled offer. */
export function offerSdp({
  setup = 'actpass',
  fingerprint = `sha-256 ${FINGERPRINT}`,
  media = [videoSection('0', 'sendonly')],
}: OfferParts = {}): string {
  const session = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=setup:${setup}`,
    `a=fingerprint:${fingerprint}`,
  ];
  return `${[...session, ...media].join('\r\n')}\r\n`;
}
