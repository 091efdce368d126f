import type { NtpTimestamp } from './media-time.js';

/** Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1). */
export const RTCP_TYPE = Object.freeze({ sr: 200, rr: 201, sdes: 202, bye: 203, rtpfb: 205, psfb: 206 });

/** Feedback message types of RTPFB (RFC 4585 section 6.2, draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). */
export const RTPFB_FORMAT = Object.freeze({ nack: 1, transportCc: 15 });

/** Feedback message types of PSFB (RFC 4585 section 6.3, RFC 5104 section 4.3; 15 is the application layer feedback of REMB). */
export const PSFB_FORMAT = Object.freeze({ pli: 1, fir: 4, applicationLayer: 15 });

/** What a receiver says of one of our streams (RFC 3550 section 6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Packets lost since the last report, 0-255, in units of 1/256. */
  readonly fractionLost: number;
  /** Packets lost since the start, -8388608 to 8388607; negative when there were duplicates. */
  readonly cumulativeLost: number;
  /** Extended highest sequence number received: the low 16 bits are the number, the high ones count its cycles. */
  readonly highestSequence: number;
  /** Interarrival jitter, in units of the payload's clock. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP timestamp of the last sender report; 0 if none has arrived. */
  readonly lastSenderReport: number;
  /** Delay since then, in units of 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

/** What a sender says of its stream (RFC 3550 section 6.4.1). The counts wrap at 2^32. */
export interface SenderInfo {
  readonly ssrc: number;
  readonly ntp: NtpTimestamp;
  /** The same instant as `ntp`, on the clock of the stream's RTP timestamps. */
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  /** Payload octets, without headers and padding. */
  readonly octetCount: number;
}

export interface SenderReport extends SenderInfo {
  readonly kind: 'sender-report';
  readonly reports: readonly ReportBlock[];
}

export interface ReceiverReport {
  readonly kind: 'receiver-report';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
}

/** RFC 3550 section 6.6. */
export interface Goodbye {
  readonly kind: 'bye';
  readonly ssrcs: readonly number[];
  readonly reason?: string;
}

/** Generic NACK (RFC 4585 section 6.2.1). */
export interface Nack {
  readonly kind: 'nack';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** Sequence numbers in the order of the message; a number that the message repeats is repeated here. */
  readonly lost: readonly number[];
}

/** Transport-wide congestion control feedback, not yet taken apart. */
export interface TransportCc {
  readonly kind: 'transport-cc';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** From the base sequence number on, padding removed. A view into the compound, valid as long as that is. */
  readonly fci: Uint8Array;
}

/** Picture loss indication (RFC 4585 section 6.3.1). */
export interface Pli {
  readonly kind: 'pli';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
}

/** One request of a {@link Fir}: a new one has a new sequence number, a repetition the old one. */
export interface FirEntry {
  readonly ssrc: number;
  /** 0-255 */
  readonly sequenceNumber: number;
}

/** Full intra request (RFC 5104 section 4.3.1). */
export interface Fir {
  readonly kind: 'fir';
  readonly senderSsrc: number;
  readonly entries: readonly FirEntry[];
}

/** Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 section 2.2). */
export interface Remb {
  readonly kind: 'remb';
  readonly senderSsrc: number;
  /** Saturates at 2^53 - 1. */
  readonly bitrateBps: number;
  readonly ssrcs: readonly number[];
}

/** The RTCP packets that the sender understands. */
export type RtcpPacket = SenderReport | ReceiverReport | Goodbye | Nack | TransportCc | Pli | Fir | Remb;
