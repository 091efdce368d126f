import { FramelockError } from '../core/errors.js';
import type { FirEntry, ReportBlock, SenderInfo } from './rtcp-packet.js';
import { PSFB_FORMAT, RTCP_TYPE, RTPFB_FORMAT } from './rtcp-packet.js';

const HEADER_BYTES = 4;
/** The count field has 5 bits. */
const MAX_COUNT = 31;
/** Texts carry their length in one byte. */
const MAX_TEXT_BYTES = 255;
/** SDES item type of CNAME (RFC 3550 section 12.2). */
const SDES_CNAME = 1;
/** A NACK item tells of its packet and the 16 after it (RFC 4585 section 6.2.1). */
const NACK_BITMASK_SPAN = 16;

/** A sender report without report blocks: the sender receives no media (RFC 3550 section 6.4.1). Counts are taken modulo 2^32. */
export function writeSenderReport(info: SenderInfo): Uint8Array {
  const { bytes, view } = allocatePacket(RTCP_TYPE.sr, 0, 24);
  view.setUint32(4, info.ssrc);
  view.setUint32(8, info.ntp.seconds);
  view.setUint32(12, info.ntp.fraction);
  view.setUint32(16, info.rtpTimestamp);
  view.setUint32(20, info.packetCount);
  view.setUint32(24, info.octetCount);
  return bytes;
}

/**
 * A receiver report (RFC 3550 section 6.4.2). `cumulativeLost` is clamped to its 24 bits.
 * @throws FramelockError INVALID_ARGUMENT for more than 31 blocks
 */
export function writeReceiverReport(ssrc: number, reports: readonly ReportBlock[]): Uint8Array {
  requireCount(reports.length, 'report blocks');
  const { bytes, view } = allocatePacket(RTCP_TYPE.rr, reports.length, 4 + reports.length * 24);
  view.setUint32(4, ssrc);
  let at = 8;
  for (const report of reports) {
    view.setUint32(at, report.ssrc);
    const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, report.cumulativeLost));
    view.setInt32(at + 4, (report.fractionLost << 24) | (lost & 0xff_ffff));
    view.setUint32(at + 8, report.highestSequence);
    view.setUint32(at + 12, report.jitter);
    view.setUint32(at + 16, report.lastSenderReport);
    view.setUint32(at + 20, report.delaySinceLastSenderReport);
    at += 24;
  }
  return bytes;
}

/**
 * A source description with one chunk of one item, the CNAME (RFC 3550 section 6.5.1).
 * @throws FramelockError INVALID_ARGUMENT for a CNAME beyond 255 bytes of UTF-8
 */
export function writeSdesCname(ssrc: number, cname: string): Uint8Array {
  const text = encodeText(cname, 'cname');
  // The item list ends with at least one null octet.
  const { bytes, view } = allocatePacket(RTCP_TYPE.sdes, 1, 4 + 2 + text.length + 1);
  view.setUint32(4, ssrc);
  view.setUint8(8, SDES_CNAME);
  view.setUint8(9, text.length);
  bytes.set(text, 10);
  return bytes;
}

/**
 * A goodbye of these sources (RFC 3550 section 6.6).
 * @throws FramelockError INVALID_ARGUMENT for more than 31 sources or a reason beyond 255 bytes of UTF-8
 */
export function writeBye(ssrcs: readonly number[], reason?: string): Uint8Array {
  requireCount(ssrcs.length, 'sources');
  const text = reason === undefined ? undefined : encodeText(reason, 'reason');
  const reasonBytes = text === undefined ? 0 : 1 + text.length;
  const { bytes, view } = allocatePacket(RTCP_TYPE.bye, ssrcs.length, ssrcs.length * 4 + reasonBytes);
  let at = HEADER_BYTES;
  for (const ssrc of ssrcs) {
    view.setUint32(at, ssrc);
    at += 4;
  }
  if (text !== undefined) {
    view.setUint8(at, text.length);
    bytes.set(text, at + 1);
  }
  return bytes;
}

/** A picture loss indication (RFC 4585 section 6.3.1). */
export function writePli(senderSsrc: number, mediaSsrc: number): Uint8Array {
  return allocateFeedback(RTCP_TYPE.psfb, PSFB_FORMAT.pli, senderSsrc, mediaSsrc, 0).bytes;
}

/**
 * A full intra request; its media SSRC is 0, the entries name the streams (RFC 5104 section 4.3.1).
 * @throws FramelockError INVALID_ARGUMENT without entries
 */
export function writeFir(senderSsrc: number, entries: readonly FirEntry[]): Uint8Array {
  requireSome(entries.length, 'FIR entry');
  const { bytes, view } = allocateFeedback(RTCP_TYPE.psfb, PSFB_FORMAT.fir, senderSsrc, 0, entries.length * 8);
  let at = 12;
  for (const { ssrc, sequenceNumber } of entries) {
    view.setUint32(at, ssrc);
    view.setUint8(at + 4, sequenceNumber);
    at += 8;
  }
  return bytes;
}

/**
 * A generic NACK (RFC 4585 section 6.2.1). `lost` in sequence order packs best; every order is correct.
 * @throws FramelockError INVALID_ARGUMENT without sequence numbers
 */
export function writeNack(senderSsrc: number, mediaSsrc: number, lost: readonly number[]): Uint8Array {
  requireSome(lost.length, 'lost sequence number');
  const items = packNackItems(lost);
  const { bytes, view } = allocateFeedback(RTCP_TYPE.rtpfb, RTPFB_FORMAT.nack, senderSsrc, mediaSsrc, items.length * 4);
  let at = 12;
  for (const { packetId, bitmask } of items) {
    view.setUint16(at, packetId);
    view.setUint16(at + 2, bitmask);
    at += 4;
  }
  return bytes;
}

/** Joins packets to a compound. A full compound begins with a report and holds an SDES CNAME (RFC 3550 section 6.1). */
export function writeCompound(packets: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0;
  for (const packet of packets) sizeBytes += packet.length;
  const compound = new Uint8Array(sizeBytes);
  let at = 0;
  for (const packet of packets) {
    compound.set(packet, at);
    at += packet.length;
  }
  return compound;
}

function packNackItems(lost: readonly number[]): { readonly packetId: number; readonly bitmask: number }[] {
  const items: { packetId: number; bitmask: number }[] = [];
  for (const sequence of lost) {
    const item = items.at(-1);
    const step = item === undefined ? Number.POSITIVE_INFINITY : (sequence - item.packetId) & 0xffff;
    if (item === undefined || step > NACK_BITMASK_SPAN) items.push({ packetId: sequence, bitmask: 0 });
    else if (step > 0) item.bitmask |= 1 << (step - 1);
  }
  return items;
}

/** A zeroed packet with its header; the body is rounded up to 32 bits. */
function allocatePacket(
  type: number,
  count: number,
  bodyBytes: number,
): { readonly bytes: Uint8Array; readonly view: DataView } {
  const words = Math.ceil(bodyBytes / 4);
  const bytes = new Uint8Array(HEADER_BYTES + words * 4);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x80 | count);
  view.setUint8(1, type);
  view.setUint16(2, words);
  return { bytes, view };
}

function allocateFeedback(
  type: number,
  format: number,
  senderSsrc: number,
  mediaSsrc: number,
  fciBytes: number,
): { readonly bytes: Uint8Array; readonly view: DataView } {
  const packet = allocatePacket(type, format, 8 + fciBytes);
  packet.view.setUint32(4, senderSsrc);
  packet.view.setUint32(8, mediaSsrc);
  return packet;
}

function requireCount(count: number, what: string): void {
  if (count > MAX_COUNT) {
    throw new FramelockError('INVALID_ARGUMENT', `an RTCP packet holds at most ${MAX_COUNT} ${what}, got ${count}`, {
      context: { count },
    });
  }
}

function requireSome(count: number, what: string): void {
  if (count === 0) throw new FramelockError('INVALID_ARGUMENT', `an RTCP feedback packet needs at least one ${what}`);
}

function encodeText(text: string, field: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length > MAX_TEXT_BYTES) {
    throw new FramelockError(
      'INVALID_ARGUMENT',
      `${field} must be at most ${MAX_TEXT_BYTES} bytes of UTF-8, got ${encoded.length}`,
      { context: { field, sizeBytes: encoded.length } },
    );
  }
  return encoded;
}
