import { RTP_CODECS, type RtpCodec } from '../../rtp/rtp-codec.js';
import { RTX_ENCODING } from '../../rtp/rtx.js';
import type { HeaderExtensionIds, NegotiatedTrack } from '../media-transport.js';
import { invalidAnswer } from './answer-error.js';
import { type AcceptedSection, type RemoteTransport, readRemoteTransport } from './answer-transport.js';
import type { MediaLine } from './media-lines.js';
import {
  encodingOf,
  offeredExtensions,
  readFormatParameters,
  SDP_CODECS,
  TRANSPORT_CC_FEEDBACK,
} from './sdp-codecs.js';
import { readSdp, type SdpMedia, type SdpSession } from './sdp-reader.js';
import { readSimulcast } from './simulcast-answer.js';

/** Longest answer that is read, bytes in UTF-8. */
export const MAX_ANSWER_BYTES = 256 * 1024;

/** What an answer settled. */
export interface ValidatedAnswer {
  /** One entry for each m-line that the peer wants media on; a track that it made inactive is left out. */
  readonly tracks: readonly NegotiatedTrack[];
  readonly transport: RemoteTransport;
}

/**
 * Checks an answer against the m-lines of the offer, all of it, before anything is applied. Pure.
 * Payload types may be reordered and renumbered; attributes that we do not know are ignored.
 * @throws FramelockError INVALID_SDP naming m-line and field
 */
export function validateAnswer(sdp: string, offered: readonly MediaLine[]): ValidatedAnswer {
  if (Buffer.byteLength(sdp) > MAX_ANSWER_BYTES) {
    throw invalidAnswer({ field: 'size' }, `more than ${MAX_ANSWER_BYTES} bytes`);
  }
  const session = readSdp(sdp);
  if (typeof session === 'string') throw invalidAnswer({ field: 'syntax' }, session);
  if (session.media.length !== offered.length) {
    throw invalidAnswer({ field: 'm=' }, `${offered.length} m-lines were offered, ${session.media.length} answered`);
  }
  const accepted: AcceptedSection[] = [];
  const tracks: NegotiatedTrack[] = [];
  for (const [mLine, line] of offered.entries()) {
    const media = session.media[mLine];
    if (media === undefined || !isAccepted(media, line, mLine)) continue;
    accepted.push({ media, mLine, trackId: line.trackId, mid: line.mid });
    const track = readTrack(session, media, line, mLine);
    if (track !== undefined) tracks.push(track);
  }
  return { tracks, transport: readRemoteTransport(session, accepted) };
}

function isAccepted(media: SdpMedia, line: MediaLine, mLine: number): boolean {
  const place = { mLine, trackId: line.trackId };
  const { kind } = RTP_CODECS[line.codec];
  if (media.kind !== kind) throw invalidAnswer({ ...place, field: 'm=' }, `offered ${kind}, answered ${media.kind}`);
  if (media.port === 0) {
    if (line.active) throw invalidAnswer({ ...place, field: 'port' }, 'the peer rejected the m-line (port 0)');
    return false;
  }
  if (!media.protocol.endsWith('RTP/SAVPF')) {
    throw invalidAnswer({ ...place, field: 'proto' }, `offered UDP/TLS/RTP/SAVPF, answered ${media.protocol}`);
  }
  const mid = media.attributes.first('mid');
  if (mid !== line.mid)
    throw invalidAnswer({ ...place, field: 'mid' }, `offered ${line.mid}, answered ${mid ?? 'none'}`);
  return true;
}

function readTrack(session: SdpSession, media: SdpMedia, line: MediaLine, mLine: number): NegotiatedTrack | undefined {
  const place = { mLine, trackId: line.trackId };
  const direction = readDirection(session, media);
  if (direction !== 'inactive' && (direction !== 'recvonly' || !line.active)) {
    const wanted = line.active ? 'recvonly or inactive' : 'inactive';
    throw invalidAnswer({ ...place, field: 'direction' }, `it must be ${wanted}, it is ${direction}`);
  }
  const payloadType = readPayloadType(media, line, mLine);
  const { transportWideCc, ...extensions } = readExtensions(media, line, mLine);
  if (direction === 'inactive') return undefined;
  const feedback = readFeedback(media, payloadType);
  const nack = feedback.has('nack');
  const rids = extensions.rid === undefined ? undefined : readSimulcast(media, line.rids);
  const rtx = line.rtxSsrc === undefined || !nack ? new Map<number, number>() : readRetransmissions(media);
  return {
    trackId: line.trackId,
    mid: line.mid,
    payloadType,
    ...(line.alternatives.length === 0 ? {} : { alternatives: readAlternatives(media, line, mLine) }),
    ...(rtx.size === 0 ? {} : { rtx }),
    ...(rids === undefined ? {} : { rids }),
    // Numbers that nobody reports on would look like a network that carries nothing.
    extensions:
      transportWideCc === undefined || !feedback.has(TRANSPORT_CC_FEEDBACK)
        ? extensions
        : { ...extensions, transportWideCc },
    nack,
    pli: feedback.has('nack pli'),
    fir: feedback.has('ccm fir'),
  };
}

function readDirection(session: SdpSession, media: SdpMedia): string {
  const directions = ['recvonly', 'inactive', 'sendonly', 'sendrecv'];
  const named = [media.attributes, session.attributes].flatMap((attributes) =>
    directions.filter((direction) => attributes.has(direction)),
  );
  return named[0] ?? 'sendrecv';
}

/** Payload types of the alternatives that the peer takes; the others are none of its fault. */
function readAlternatives(
  media: SdpMedia,
  line: MediaLine,
  mLine: number,
): NonNullable<NegotiatedTrack['alternatives']> {
  const found = line.alternatives.map((codec) => {
    const { payloadType } = findPayloadType(media, codec, { mLine, trackId: line.trackId });
    return [codec, payloadType] as const;
  });
  return Object.fromEntries(found.filter(([, payloadType]) => payloadType !== undefined));
}

/** The payload type by which the peer wants our codec: it may have renumbered it. */
function readPayloadType(media: SdpMedia, line: MediaLine, mLine: number): number {
  const place = { mLine, trackId: line.trackId };
  const { payloadType, refused } = findPayloadType(media, line.codec, place);
  if (payloadType !== undefined) return payloadType;
  const { encodingName } = SDP_CODECS[line.codec];
  if (refused !== undefined) {
    throw invalidAnswer({ ...place, field: refused }, `the peer's ${encodingName} cannot take what we send`);
  }
  throw invalidAnswer({ ...place, field: 'rtpmap' }, `${encodingName} was offered, the answer does not have it`);
}

/** The payload type of a codec in an answer, or the parameter for which it cannot be used, or neither if it is not there. */
function findPayloadType(
  media: SdpMedia,
  codec: RtpCodec,
  place: { readonly mLine: number; readonly trackId: string },
): { readonly payloadType?: number; readonly refused?: string } {
  const names = readByPayloadType(media, 'rtpmap');
  const parameters = readByPayloadType(media, 'fmtp');
  const encoding = encodingOf(codec).toLowerCase();
  let refused: string | undefined;
  for (const format of media.formats) {
    const payloadType = Number(format);
    if (!/^\d{1,3}$/.test(format) || payloadType > 127) {
      throw invalidAnswer({ ...place, field: 'm=' }, `'${format}' is no payload type`);
    }
    if (names.get(format)?.toLowerCase() !== encoding) continue;
    refused = SDP_CODECS[codec].refusedParameter(readFormatParameters(parameters.get(format) ?? ''));
    if (refused === undefined) return { payloadType };
  }
  return refused === undefined ? {} : { refused };
}

/**
 * Payload types of retransmissions by those of what they repeat, both as the peer numbers them (RFC 4588 section 8.6). One that repeats nothing of this m-line, or
 * a payload type that another one repeats already, is ignored.
 */
function readRetransmissions(media: SdpMedia): ReadonlyMap<number, number> {
  const names = readByPayloadType(media, 'rtpmap');
  const parameters = readByPayloadType(media, 'fmtp');
  const isRtx = (format: string): boolean => names.get(format)?.toLowerCase() === RTX_ENCODING;
  const found = new Map<number, number>();
  for (const format of media.formats.filter(isRtx)) {
    const repeated = readFormatParameters(parameters.get(format) ?? '').get('apt') ?? '';
    if (!media.formats.includes(repeated) || isRtx(repeated) || found.has(Number(repeated))) continue;
    found.set(Number(repeated), Number(format));
  }
  return found;
}

/** Values of `rtpmap` or `fmtp` by payload type. */
function readByPayloadType(media: SdpMedia, name: string): ReadonlyMap<string, string> {
  return new Map(
    media.attributes.all(name).map((value) => {
      const space = value.indexOf(' ');
      return space < 0 ? [value, ''] : [value.slice(0, space), value.slice(space + 1).trim()];
    }),
  );
}

function readExtensions(media: SdpMedia, line: MediaLine, mLine: number): HeaderExtensionIds {
  const ids = new Map<string, number>();
  for (const value of media.attributes.all('extmap')) {
    const [, id, uri] = /^(\d{1,5})(?:\/[a-z]+)? (\S+)/.exec(value) ?? [];
    const offered = offeredExtensions(line).find((extension) => extension.uri === uri);
    if (offered === undefined) continue;
    if (Number(id) < 1 || Number(id) > 14 || [...ids.values()].includes(Number(id))) {
      throw invalidAnswer({ mLine, trackId: line.trackId, field: 'extmap' }, `id ${id} is out of 1-14 or used twice`);
    }
    ids.set(offered.name, Number(id));
  }
  return Object.fromEntries(ids);
}

function readFeedback(media: SdpMedia, payloadType: number): ReadonlySet<string> {
  const feedback = new Set<string>();
  for (const value of media.attributes.all('rtcp-fb')) {
    const [, format, kind] = /^(\*|\d{1,3}) (.+)$/.exec(value) ?? [];
    if (kind !== undefined && (format === '*' || Number(format) === payloadType)) feedback.add(kind.trim());
  }
  return feedback;
}
