import type { FirEntry, ReportBlock, RtcpPacket } from './rtcp-packet.js';
import { PSFB_FORMAT, RTCP_TYPE, RTPFB_FORMAT } from './rtcp-packet.js';

/** Why a compound could not be read to its end. */
export type RtcpFaultReason =
  /** Fewer than 4 bytes where a packet should begin. */
  | 'truncated-header'
  /** The version is not 2. */
  | 'bad-version'
  /** The packet's length goes beyond the compound. */
  | 'bad-length'
  /** The padding count is 0 or larger than the packet. */
  | 'bad-padding'
  /** The packet is too short for what its type and count promise. */
  | 'bad-body';

/** Where and why parsing stopped. */
export interface RtcpFault {
  /** Offset in the compound of the packet that is at fault. */
  readonly offset: number;
  readonly reason: RtcpFaultReason;
}

/** A compound taken apart. */
export interface ParsedRtcp {
  /** The packets before the fault, or all of them. */
  readonly packets: readonly RtcpPacket[];
  /** Well-formed packets of kinds that the sender has no use for: SDES, XR, APP and unknown ones. */
  readonly skipped: number;
  /** Absent if the whole compound was well-formed. */
  readonly malformed?: RtcpFault;
}

const HEADER_BYTES = 4;
const SENDER_INFO_BYTES = 20;
const REPORT_BLOCK_BYTES = 24;
/** Sender SSRC and media SSRC (RFC 4585 section 6.1). */
const FEEDBACK_HEADER_BYTES = 8;
const NACK_ITEM_BYTES = 4;
const FIR_ENTRY_BYTES = 8;
/** `REMB`, SSRC count, exponent and mantissa. */
const REMB_HEADER_BYTES = 8;
/** 'REMB' in ASCII. */
const REMB_IDENTIFIER = 0x52454d42;

/** The body of one packet: `view` ends where the packet ends, so that no read can reach into the next one. */
interface PacketBody {
  /** Report count, source count or feedback message type. */
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** A packet, or that it is of no interest, or that its body is malformed. */
type BodyResult = RtcpPacket | 'skipped' | 'bad-body';

/**
 * Parses a decrypted RTCP datagram: a compound or a reduced-size packet (RFC 3550 section 6.1, RFC 5506).
 *
 * Never throws: it returns what is valid up to the first fault, and the fault. Every packet is read within its own length. Padding
 * is accepted on any packet and in any amount, since libwebrtc pads transport-cc feedback by 1-3 bytes inside a compound.
 *
 * The result holds views into `compound` (`TransportCc.fci`) and is valid as long as those bytes are.
 */
export function parseRtcp(compound: Uint8Array): ParsedRtcp {
  const packets: RtcpPacket[] = [];
  let skipped = 0;
  let offset = 0;
  do {
    const framed = framePacket(compound, offset);
    if (typeof framed === 'string') return { packets, skipped, malformed: { offset, reason: framed } };
    const result = parseBody(framed.type, framed.body);
    if (result === 'bad-body') return { packets, skipped, malformed: { offset, reason: result } };
    if (result === 'skipped') skipped += 1;
    else packets.push(result);
    offset += framed.sizeBytes;
  } while (offset < compound.length);
  return { packets, skipped };
}

function framePacket(
  compound: Uint8Array,
  offset: number,
): { readonly type: number; readonly sizeBytes: number; readonly body: PacketBody } | RtcpFaultReason {
  const available = compound.length - offset;
  if (available < HEADER_BYTES) return 'truncated-header';
  const header = new DataView(compound.buffer, compound.byteOffset + offset, available);
  const first = header.getUint8(0);
  if (first >>> 6 !== 2) return 'bad-version';
  const sizeBytes = (header.getUint16(2) + 1) * 4;
  if (sizeBytes > available) return 'bad-length';
  let bodyBytes = sizeBytes - HEADER_BYTES;
  if ((first & 0x20) !== 0) {
    const paddingBytes = bodyBytes === 0 ? 0 : header.getUint8(sizeBytes - 1);
    if (paddingBytes === 0 || paddingBytes > bodyBytes) return 'bad-padding';
    bodyBytes -= paddingBytes;
  }
  const bytes = compound.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + bodyBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bodyBytes);
  return { type: header.getUint8(1), sizeBytes, body: { count: first & 0x1f, bytes, view } };
}

function parseBody(type: number, body: PacketBody): BodyResult {
  switch (type) {
    case RTCP_TYPE.sr:
      return parseSenderReport(body);
    case RTCP_TYPE.rr:
      return parseReceiverReport(body);
    case RTCP_TYPE.bye:
      return parseBye(body);
    case RTCP_TYPE.rtpfb:
      return parseTransportFeedback(body);
    case RTCP_TYPE.psfb:
      return parsePayloadFeedback(body);
    default:
      return 'skipped';
  }
}

function parseSenderReport({ count, view }: PacketBody): BodyResult {
  const reportsOffset = 4 + SENDER_INFO_BYTES;
  if (view.byteLength < reportsOffset + count * REPORT_BLOCK_BYTES) return 'bad-body';
  return {
    kind: 'sender-report',
    ssrc: view.getUint32(0),
    ntp: { seconds: view.getUint32(4), fraction: view.getUint32(8) },
    rtpTimestamp: view.getUint32(12),
    packetCount: view.getUint32(16),
    octetCount: view.getUint32(20),
    reports: readReportBlocks(view, reportsOffset, count),
  };
}

function parseReceiverReport({ count, view }: PacketBody): BodyResult {
  if (view.byteLength < 4 + count * REPORT_BLOCK_BYTES) return 'bad-body';
  return { kind: 'receiver-report', ssrc: view.getUint32(0), reports: readReportBlocks(view, 4, count) };
}

function readReportBlocks(view: DataView, start: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * REPORT_BLOCK_BYTES;
    return {
      ssrc: view.getUint32(at),
      fractionLost: view.getUint8(at + 4),
      // The low 24 bits of the word, sign-extended.
      cumulativeLost: (view.getInt32(at + 4) << 8) >> 8,
      highestSequence: view.getUint32(at + 8),
      jitter: view.getUint32(at + 12),
      lastSenderReport: view.getUint32(at + 16),
      delaySinceLastSenderReport: view.getUint32(at + 20),
    };
  });
}

function parseBye({ count, bytes, view }: PacketBody): BodyResult {
  const reasonOffset = count * 4;
  if (view.byteLength < reasonOffset) return 'bad-body';
  const ssrcs = readSsrcs(view, 0, count);
  if (view.byteLength === reasonOffset) return { kind: 'bye', ssrcs };
  const end = reasonOffset + 1 + view.getUint8(reasonOffset);
  if (view.byteLength < end) return 'bad-body';
  return { kind: 'bye', ssrcs, reason: new TextDecoder().decode(bytes.subarray(reasonOffset + 1, end)) };
}

function parseTransportFeedback(body: PacketBody): BodyResult {
  const { count: format, bytes, view } = body;
  if (view.byteLength < FEEDBACK_HEADER_BYTES) return 'bad-body';
  if (format === RTPFB_FORMAT.nack) return parseNack(body);
  if (format !== RTPFB_FORMAT.transportCc) return 'skipped';
  return {
    kind: 'transport-cc',
    senderSsrc: view.getUint32(0),
    mediaSsrc: view.getUint32(4),
    fci: bytes.subarray(FEEDBACK_HEADER_BYTES),
  };
}

function parseNack({ view }: PacketBody): BodyResult {
  const itemBytes = view.byteLength - FEEDBACK_HEADER_BYTES;
  if (itemBytes === 0 || itemBytes % NACK_ITEM_BYTES !== 0) return 'bad-body';
  const lost: number[] = [];
  for (let at = FEEDBACK_HEADER_BYTES; at < view.byteLength; at += NACK_ITEM_BYTES) {
    const packetId = view.getUint16(at);
    lost.push(packetId);
    for (let bits = view.getUint16(at + 2), step = 1; bits !== 0; bits >>>= 1, step += 1) {
      if ((bits & 1) !== 0) lost.push((packetId + step) & 0xffff);
    }
  }
  return { kind: 'nack', senderSsrc: view.getUint32(0), mediaSsrc: view.getUint32(4), lost };
}

function parsePayloadFeedback(body: PacketBody): BodyResult {
  const { count: format, view } = body;
  if (view.byteLength < FEEDBACK_HEADER_BYTES) return 'bad-body';
  switch (format) {
    case PSFB_FORMAT.pli:
      return { kind: 'pli', senderSsrc: view.getUint32(0), mediaSsrc: view.getUint32(4) };
    case PSFB_FORMAT.fir:
      return parseFir(body);
    case PSFB_FORMAT.applicationLayer:
      return parseRemb(body);
    default:
      return 'skipped';
  }
}

function parseFir({ view }: PacketBody): BodyResult {
  const entryBytes = view.byteLength - FEEDBACK_HEADER_BYTES;
  if (entryBytes === 0 || entryBytes % FIR_ENTRY_BYTES !== 0) return 'bad-body';
  const entries: FirEntry[] = [];
  for (let at = FEEDBACK_HEADER_BYTES; at < view.byteLength; at += FIR_ENTRY_BYTES) {
    entries.push({ ssrc: view.getUint32(at), sequenceNumber: view.getUint8(at + 4) });
  }
  return { kind: 'fir', senderSsrc: view.getUint32(0), entries };
}

function parseRemb({ view }: PacketBody): BodyResult {
  const at = FEEDBACK_HEADER_BYTES;
  // Application layer feedback of another kind is none of our business.
  if (view.byteLength < at + REMB_HEADER_BYTES || view.getUint32(at) !== REMB_IDENTIFIER) return 'skipped';
  const ssrcCount = view.getUint8(at + 4);
  if (view.byteLength < at + REMB_HEADER_BYTES + ssrcCount * 4) return 'bad-body';
  const exponent = view.getUint8(at + 5) >>> 2;
  const mantissa = view.getUint32(at + 4) & 0x3ffff;
  return {
    kind: 'remb',
    senderSsrc: view.getUint32(0),
    bitrateBps: Math.min(mantissa * 2 ** exponent, Number.MAX_SAFE_INTEGER),
    ssrcs: readSsrcs(view, at + REMB_HEADER_BYTES, ssrcCount),
  };
}

function readSsrcs(view: DataView, start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => view.getUint32(start + index * 4));
}
