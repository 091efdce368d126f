import { RTP_CODECS } from './rtp-codec.js';

/** In front of each payload: the sequence number that it was first sent under, the OSN (RFC 4588 section 4). */
export const RTX_HEADER_BYTES = 2;

/** As `a=rtpmap` names the retransmissions of a video codec, whose clock they have (RFC 4588 section 8.6). */
export const RTX_ENCODING = `rtx/${RTP_CODECS.vp8.clockRate}`;

/** The payload of a packet that repeats another one in a stream of retransmissions (RFC 4588 section 4): a copy, behind the sequence number of the original. */
export function writeRtxPayload(originalSequence: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RTX_HEADER_BYTES + payload.length);
  bytes[0] = originalSequence >>> 8;
  bytes[1] = originalSequence;
  bytes.set(payload, RTX_HEADER_BYTES);
  return bytes;
}

/** The sequence number of the packet that a retransmission repeats; nothing for one that repeats none, as padding does. */
export function readOriginalSequence(payload: Uint8Array): number | undefined {
  const [high, low] = payload;
  return high === undefined || low === undefined ? undefined : (high << 8) | low;
}
