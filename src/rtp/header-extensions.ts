import { FramelockError } from '../core/errors.js';
import { absSendTime, ntpTimestamp } from './media-time.js';
import type { RtpHeaderExtension } from './rtp-packet.js';

/** The header extensions that the sender writes, by the URIs that `a=extmap` names them with. */
export const HEADER_EXTENSION_URIS = Object.freeze({
  /** RFC 9143 section 15 */
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  /** RFC 8852 section 4.1: the encoding of a media source that a packet is of... */
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  /** ...and in a packet that repeats another one, that of the other one (RFC 8852 section 4.2). */
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  absCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  /** draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2 */
  transportWideCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
});

/** A `token` (RFC 8866 section 9) that fits the one-byte header form, which carries 1-16 bytes (RFC 8285 section 4.2). */
const MID_PATTERN = /^[!#-'*+\-.0-9A-Z^-~]{1,16}$/;

/** Letters and digits only (RFC 8852 section 3), as many as fit the one-byte header form; libwebrtc takes the same (`BaseRtpStringExtension`). */
const RID_PATTERN = /^[A-Za-z0-9]{1,16}$/;

/** Whether a text can name an encoding. */
export function isRid(rid: string): boolean {
  return RID_PATTERN.test(rid);
}

/** RTP fixed header without CSRCs (RFC 3550 section 5.1). */
const FIXED_HEADER_BYTES = 12;
/** `0xBEDE` and the length word of the extension block (RFC 8285 section 4.2). */
const EXTENSION_BLOCK_HEADER_BYTES = 4;

/**
 * The data of a mid extension: the m-line's identification tag (RFC 9143 section 15).
 * @throws FramelockError INVALID_ARGUMENT if `mid` is not a token of 1-16 characters
 */
export function writeMid(mid: string): Uint8Array {
  if (!MID_PATTERN.test(mid)) {
    throw new FramelockError('INVALID_ARGUMENT', `mid must be an SDP token of 1-16 characters, got '${mid}'`, {
      context: { mid },
    });
  }
  return Uint8Array.from(mid, (character) => character.charCodeAt(0));
}

/**
 * The data of a rid or repaired-rid extension (RFC 8852 section 3).
 * @throws FramelockError INVALID_ARGUMENT if `rid` is not 1-16 letters and digits
 */
export function writeRid(rid: string): Uint8Array {
  if (!isRid(rid)) {
    throw new FramelockError('INVALID_ARGUMENT', `rid must be 1-16 letters and digits, got '${rid}'`, {
      context: { rid },
    });
  }
  return Uint8Array.from(rid, (character) => character.charCodeAt(0));
}

/** The data of an abs-send-time extension: 3 bytes. `nowUs`: microseconds since the Unix epoch, read at the socket write. */
export function writeAbsSendTime(nowUs: number): Uint8Array {
  const value = absSendTime(nowUs);
  return Uint8Array.of(value >>> 16, value >>> 8, value);
}

/**
 * The data of an abs-capture-time extension in its short form, without a clock offset: 8 bytes, UQ32.32 NTP time of the capture.
 * Source: libwebrtc docs/native-code/rtp-hdrext/abs-capture-time.
 *
 * @param captureUs microseconds since the Unix epoch
 */
export function writeAbsCaptureTime(captureUs: number): Uint8Array {
  const { seconds, fraction } = ntpTimestamp(captureUs);
  const data = new Uint8Array(8);
  const view = new DataView(data.buffer);
  view.setUint32(0, seconds);
  view.setUint32(4, fraction);
  return data;
}

/** How long receivers may hold pictures back, in milliseconds. */
export interface PlayoutDelay {
  /** 0 to `maxMs`; 0 together with a `maxMs` of 0 asks for each picture as soon as it is there. */
  readonly minMs: number;
  /** Up to 40950. */
  readonly maxMs: number;
}

/** Both bounds are counted in these, in 12 bits each. */
const PLAYOUT_DELAY_TICK_MS = 10;
const MAX_PLAYOUT_DELAY_MS = 0xfff * PLAYOUT_DELAY_TICK_MS;

/**
 * The data of a playout-delay extension: 3 bytes; the bounds are rounded to 10 ms.
 * Source: libwebrtc docs/native-code/rtp-hdrext/playout-delay.
 *
 * @throws FramelockError INVALID_ARGUMENT
 */
export function writePlayoutDelay({ minMs, maxMs }: PlayoutDelay): Uint8Array {
  if (!(minMs >= 0 && minMs <= maxMs && maxMs <= MAX_PLAYOUT_DELAY_MS)) {
    const message = `playoutDelay: 0 <= minMs <= maxMs <= ${MAX_PLAYOUT_DELAY_MS} is needed, got ${minMs} and ${maxMs}`;
    throw new FramelockError('INVALID_ARGUMENT', message, { context: { field: 'playoutDelay', minMs, maxMs } });
  }
  const bounds = (Math.round(minMs / PLAYOUT_DELAY_TICK_MS) << 12) | Math.round(maxMs / PLAYOUT_DELAY_TICK_MS);
  return Uint8Array.of(bounds >>> 16, bounds >>> 8, bounds);
}

/** The data of a transport-wide-cc extension: 2 bytes. `sequence`: 0-65535, counted over all streams of the transport. */
export function writeTransportWideCc(sequence: number): Uint8Array {
  return Uint8Array.of(sequence >>> 8, sequence);
}

/** Bytes of an RTP header with these extensions in the one-byte form, padding to 32 bits included (RFC 8285 section 4.2). */
export function rtpHeaderBytes(extensions: readonly RtpHeaderExtension[]): number {
  if (extensions.length === 0) return FIXED_HEADER_BYTES;
  let elementBytes = 0;
  for (const { data } of extensions) elementBytes += 1 + data.length;
  return FIXED_HEADER_BYTES + EXTENSION_BLOCK_HEADER_BYTES + Math.ceil(elementBytes / 4) * 4;
}
