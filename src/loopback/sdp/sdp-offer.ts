import { FramelockError } from '../../core/errors.js';

/** Most m-lines of an offer that are read. */
const MAX_MEDIA = 32;
/** Most encodings of an m-line that are read. */
const MAX_RIDS = 4;

/** A codec of an m-line (`a=rtpmap` with its `a=fmtp` and `a=rtcp-fb`). */
export interface OfferedCodec {
  readonly payloadType: number;
  /** Upper case: `VP8`, `H264`, `RTX`. */
  readonly name: string;
  readonly clockRate: number;
  /** Encoding parameters of `a=rtpmap`: the number of channels of audio. */
  readonly channels?: number;
  /** Format parameters as offered; empty if there are none. */
  readonly fmtp: string;
  /** As `nack pli`; those for all payload types included. */
  readonly feedback: readonly string[];
}

/** One m-line. */
export interface OfferedMedia {
  /** `video`, `audio`, `application`. */
  readonly kind: string;
  readonly protocol: string;
  /** Payload types or formats as written; an answer that rejects the m-line repeats them. */
  readonly formats: string;
  readonly mid: string;
  /** Whether the offer switches the m-line off (port 0 without being bundled). */
  readonly disabled: boolean;
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  readonly codecs: readonly OfferedCodec[];
  /** Header extension ids by URI. */
  readonly extensions: ReadonlyMap<string, number>;
  /** The first announced SSRC, which is the primary one of an FID group. */
  readonly ssrc?: number;
  /** The other one of an FID group: that of its retransmissions (RFC 4588 section 8.3). */
  readonly rtxSsrc?: number;
  /** The encodings that are sent (`a=simulcast`, RFC 8853), the preferred one first; of alternatives the first. @default none */
  readonly rids: readonly string[];
  /** Track id of `a=msid`. */
  readonly trackId?: string;
  readonly reducedSizeRtcp: boolean;
}

/** What an ICE-lite, DTLS-passive answerer needs of an offer (RFC 8829). */
export interface SdpOffer {
  readonly media: readonly OfferedMedia[];
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: { readonly algorithm: string; readonly value: string };
}

/** One section's lines: `key` is the attribute name or, for other lines, the line type. */
interface SdpLine {
  readonly key: string;
  readonly value: string;
}

/**
 * Reads a bundled WebRTC offer.
 * @throws FramelockError INVALID_SDP
 */
export function parseOffer(sdp: string): SdpOffer {
  const [session = [], ...sections] = splitSections(sdp);
  if (!sdp.startsWith('v=0') || sections.length === 0) throw invalid('it is not an SDP offer with at least one m-line');
  if (sections.length > MAX_MEDIA) throw invalid(`it has ${sections.length} m-lines; the limit is ${MAX_MEDIA}`);
  const transport = sections.find((section) => lineValue(section, 'ice-ufrag') !== undefined) ?? session;
  const required = (key: string): string => {
    const value = lineValue(transport, key) ?? lineValue(session, key);
    if (value === undefined) throw invalid(`it has no a=${key}`);
    return value;
  };
  const [algorithm = '', value = ''] = required('fingerprint').split(' ');
  if (!/^sha-(256|384|512)$/i.test(algorithm) || !/^([0-9a-f]{2}:)+[0-9a-f]{2}$/i.test(value)) {
    throw invalid('its a=fingerprint is not a SHA-2 fingerprint');
  }
  if (required('setup') === 'passive') throw invalid('a=setup:passive cannot be answered; offer actpass or active');
  return {
    media: sections.map(parseMedia),
    iceUfrag: required('ice-ufrag'),
    icePwd: required('ice-pwd'),
    fingerprint: { algorithm, value },
  };
}

function splitSections(sdp: string): SdpLine[][] {
  const sections: SdpLine[][] = [[]];
  for (const text of sdp.split(/\r\n|\n|\r/)) {
    if (text === '') continue;
    if (text[1] !== '=') throw invalid(`the line '${text.slice(0, 40)}' is not of the form x=...`);
    if (text.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(splitLine(text));
  }
  return sections;
}

function splitLine(text: string): SdpLine {
  if (!text.startsWith('a=')) return { key: text.slice(0, 1), value: text.slice(2) };
  const colon = text.indexOf(':');
  return colon < 0 ? { key: text.slice(2), value: '' } : { key: text.slice(2, colon), value: text.slice(colon + 1) };
}

function parseMedia(lines: readonly SdpLine[], index: number): OfferedMedia {
  const match = /^(\S+) (\d+) (\S+) (.+)$/.exec(lineValue(lines, 'm') ?? '');
  if (match === null) throw invalid(`m-line ${index} is malformed`);
  const [, kind = '', port = '', protocol = '', formats = ''] = match;
  const mid = lineValue(lines, 'mid') ?? '';
  if (!/^[\w+.-]{1,16}$/.test(mid)) throw invalid(`m-line ${index} has no usable a=mid`);
  const ssrc = ssrcIn(lineValue(lines, 'ssrc'));
  const rtxSsrc = ssrcIn(/^FID \d+ (\d+)$/.exec(lineValue(lines, 'ssrc-group') ?? '')?.[1]);
  const trackId = lineValue(lines, 'msid')?.split(' ')[1];
  return {
    kind,
    protocol,
    formats,
    mid,
    disabled: port === '0' && !lines.some((line) => line.key === 'bundle-only'),
    direction: directionOf(lines),
    codecs: parseCodecs(lines, formats),
    extensions: parseExtensions(lines),
    ...(ssrc === undefined ? {} : { ssrc }),
    ...(rtxSsrc === undefined ? {} : { rtxSsrc }),
    ...(trackId === undefined ? {} : { trackId }),
    rids: parseRids(lines),
    reducedSizeRtcp: lines.some((line) => line.key === 'rtcp-rsize'),
  };
}

function parseCodecs(lines: readonly SdpLine[], formats: string): OfferedCodec[] {
  const codecs: OfferedCodec[] = [];
  for (const format of formats.split(' ')) {
    const mapping = lines.find((line) => line.key === 'rtpmap' && line.value.startsWith(`${format} `));
    const match = /^(\d{1,3}) ([^/]+)\/(\d+)(?:\/(\d+))?/.exec(mapping?.value ?? '');
    if (match === null) continue;
    const [, payloadType = '', name = '', clockRate = '', channels] = match;
    const fmtp = lines.find((line) => line.key === 'fmtp' && line.value.startsWith(`${format} `));
    const feedback = lines
      .filter((line) => line.key === 'rtcp-fb')
      .filter((line) => line.value.startsWith(`${format} `) || line.value.startsWith('* '))
      .map((line) => line.value.slice(line.value.indexOf(' ') + 1));
    codecs.push({
      payloadType: Number(payloadType),
      name: name.toUpperCase(),
      clockRate: Number(clockRate),
      ...(channels === undefined ? {} : { channels: Number(channels) }),
      fmtp: fmtp?.value.slice(format.length + 1) ?? '',
      feedback,
    });
  }
  return codecs;
}

function parseExtensions(lines: readonly SdpLine[]): Map<string, number> {
  const extensions = new Map<string, number>();
  for (const line of lines) {
    const match = line.key === 'extmap' ? /^(\d+)(?:\/\w+)? (\S+)/.exec(line.value) : null;
    if (match?.[1] !== undefined && match[2] !== undefined) extensions.set(match[2], Number(match[1]));
  }
  return extensions;
}

/** Streams of a simulcast that have an `a=rid` of their own (RFC 8851 section 5). */
function parseRids(lines: readonly SdpLine[]): readonly string[] {
  const [, streams = ''] = /(?:^|\s)send\s+(\S+)/.exec(lineValue(lines, 'simulcast') ?? '') ?? [];
  const declared = new Set(
    lines.flatMap(({ key, value }) => (key === 'rid' ? (/^([A-Za-z0-9]{1,16}) send\b/.exec(value)?.[1] ?? []) : [])),
  );
  const first = streams.split(';').map((alternatives) => (alternatives.split(',')[0] ?? '').replace('~', ''));
  return [...new Set(first)].filter((rid) => declared.has(rid)).slice(0, MAX_RIDS);
}

function ssrcIn(value: string | undefined): number | undefined {
  const ssrc = value === undefined ? Number.NaN : Number.parseInt(value, 10);
  return ssrc >= 0 && ssrc <= 0xffff_ffff ? ssrc : undefined;
}

function directionOf(lines: readonly SdpLine[]): OfferedMedia['direction'] {
  for (const direction of ['sendonly', 'recvonly', 'inactive'] as const) {
    if (lines.some((line) => line.key === direction)) return direction;
  }
  return 'sendrecv';
}

function lineValue(lines: readonly SdpLine[], key: string): string | undefined {
  return lines.find((line) => line.key === key)?.value;
}

function invalid(what: string): FramelockError {
  return new FramelockError('INVALID_SDP', `cannot answer the offer: ${what}`);
}
