import { FramelockError } from '../core/errors.js';
import { rtpHeaderBytes } from '../rtp/header-extensions.js';
import type { RtpPacketHeader } from '../rtp/rtp-packet.js';

const FIXED_HEADER_BYTES = 12;
/** RFC 8285 section 4.2 */
const ONE_BYTE_PROFILE = 0xbede;

/**
 * The bytes of an RTP header (RFC 3550 section 5.1), extensions in the one-byte form.
 * @throws FramelockError INVALID_PACKET: an extension that the one-byte form cannot carry
 */
export function writeRtpHeader(header: RtpPacketHeader): Buffer {
  const bytes = Buffer.alloc(rtpHeaderBytes(header.extensions));
  fillRtpHeader(bytes, header, bytes.length);
  return bytes;
}

/**
 * Writes a header as {@link writeRtpHeader} does to the beginning of a packet.
 * @param headerBytes by `rtpHeaderBytes`
 * @throws FramelockError INVALID_PACKET
 */
export function fillRtpHeader(bytes: Buffer, header: RtpPacketHeader, headerBytes: number): void {
  const { extensions } = header;
  bytes[0] = 0x80 | (header.padding === true ? 0x20 : 0) | (extensions.length > 0 ? 0x10 : 0);
  bytes[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  bytes.writeUInt16BE(header.sequenceNumber, 2);
  bytes.writeUInt32BE(header.timestamp, 4);
  bytes.writeUInt32BE(header.ssrc, 8);
  if (extensions.length === 0) return;
  bytes.writeUInt16BE(ONE_BYTE_PROFILE, FIXED_HEADER_BYTES);
  bytes.writeUInt16BE((headerBytes - FIXED_HEADER_BYTES - 4) / 4, FIXED_HEADER_BYTES + 2);
  let offset = FIXED_HEADER_BYTES + 4;
  for (const { id, data } of extensions) {
    if (id < 1 || id > 14 || data.length < 1 || data.length > 16) {
      throw new FramelockError('INVALID_PACKET', `Header extension ${id} with ${data.length} bytes: 1-14 and 1-16`, {
        context: { id, sizeBytes: data.length, ssrc: header.ssrc },
      });
    }
    bytes[offset] = (id << 4) | (data.length - 1);
    bytes.set(data, offset + 1);
    offset += 1 + data.length;
  }
  bytes.fill(0, offset, headerBytes);
}
