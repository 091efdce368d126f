import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { nextSequence } from '../core/sequence.js';
import { rtpHeaderBytes } from './header-extensions.js';
import type { RtpHeaderExtension, RtpPacketHeader } from './rtp-packet.js';

/**
 * The first sequence number is random below 2^15: were it close to the wrap, a receiver that missed the packets before the wrap would
 * guess the SRTP rollover counter wrong (RFC 3711 appendix A; libwebrtc modules/rtp_rtcp/source/packet_sequencer.cc).
 */
const INITIAL_SEQUENCE_MASK = 0x7fff;

/** What the caller decides about a packet; the stream adds SSRC and sequence number. */
export interface OutgoingPacket {
  /** 0-127 */
  readonly payloadType: number;
  /** 0-4294967295, in units of the payload's clock */
  readonly timestamp: number;
  readonly marker: boolean;
  readonly extensions: readonly RtpHeaderExtension[];
  /** As of {@link RtpPacketHeader}. */
  readonly padding?: boolean;
}

/** What a packet is sent for: retransmissions and padding are counted apart. */
export type PacketPurpose = 'media' | 'retransmission' | 'padding';

/** Totals of a stream, by W3C `RTCOutboundRtpStreamStats` names; they do not wrap. Retransmissions are part of the totals. */
export interface RtpStreamCounts {
  readonly packetsSent: number;
  /** Payload bytes. */
  readonly bytesSent: number;
  readonly headerBytesSent: number;
  readonly retransmittedPacketsSent: number;
  /** Payload bytes. */
  readonly retransmittedBytesSent: number;
  /** In packets of nothing else, or that repeat what nobody asked for; they are among `packetsSent`. */
  readonly paddingBytesSent: number;
}

/** The totals of a track that sends its retransmissions in a stream of their own. */
export function sumOfCounts(a: RtpStreamCounts, b: RtpStreamCounts): RtpStreamCounts {
  return {
    packetsSent: a.packetsSent + b.packetsSent,
    bytesSent: a.bytesSent + b.bytesSent,
    headerBytesSent: a.headerBytesSent + b.headerBytesSent,
    retransmittedPacketsSent: a.retransmittedPacketsSent + b.retransmittedPacketsSent,
    retransmittedBytesSent: a.retransmittedBytesSent + b.retransmittedBytesSent,
    paddingBytesSent: a.paddingBytesSent + b.paddingBytesSent,
  };
}

/**
 * The outgoing state of one SSRC: sequence numbers, counts and the last timestamp. It lives as long as its track, so that the
 * numbers run on when the encoder is swapped or the transport is replaced.
 *
 * Stamp at the socket write, in one synchronous step: `prepare`, write, and `commit` only if the write succeeded. A packet that was
 * not written consumes no sequence number, hence leaves no gap that a receiver would ask for.
 *
 * Owner of all fields: whoever writes the stream's packets to the socket. Not shared, not locked.
 */
export class RtpStream {
  readonly ssrc: number;
  #sequence: number;
  #lastTimestamp: number | undefined;
  #packetsSent = 0;
  #bytesSent = 0;
  #headerBytesSent = 0;
  #retransmittedPacketsSent = 0;
  #retransmittedBytesSent = 0;
  #paddingBytesSent = 0;

  /** @param ssrc 0-4294967295 */
  constructor(ssrc: number, random: Random) {
    this.ssrc = ssrc;
    this.#sequence = random.uint32() & INITIAL_SEQUENCE_MASK;
  }

  /** The timestamp of the last packet that was committed; none before the first, and then no sender report is due either. */
  get lastTimestamp(): number | undefined {
    return this.#lastTimestamp;
  }

  /** A snapshot. `packetsSent` and `bytesSent` are the counts of a sender report (RFC 3550 section 6.4.1), modulo 2^32. */
  get counts(): RtpStreamCounts {
    return {
      packetsSent: this.#packetsSent,
      bytesSent: this.#bytesSent,
      headerBytesSent: this.#headerBytesSent,
      retransmittedPacketsSent: this.#retransmittedPacketsSent,
      retransmittedBytesSent: this.#retransmittedBytesSent,
      paddingBytesSent: this.#paddingBytesSent,
    };
  }

  /** The header of the next packet. Changes nothing: until a `commit`, every call gives the same sequence number. */
  prepare(packet: OutgoingPacket): RtpPacketHeader {
    const header = {
      payloadType: packet.payloadType,
      sequenceNumber: this.#sequence,
      timestamp: packet.timestamp,
      ssrc: this.ssrc,
      marker: packet.marker,
      extensions: packet.extensions,
    };
    return packet.padding === true ? { ...header, padding: true } : header;
  }

  /**
   * Records that a prepared packet was written: consumes its sequence number and counts it.
   * @param purpose 'retransmission' in a stream of nothing else (RFC 4588), where 'padding' may have a payload @default by the header
   * @throws FramelockError INVALID_ARGUMENT if `header` is not the one that is next: committed twice, or prepared before another commit
   */
  commit(
    header: RtpPacketHeader,
    payloadBytes: number,
    purpose: PacketPurpose = header.padding === true ? 'padding' : 'media',
  ): void {
    if (header.ssrc !== this.ssrc || header.sequenceNumber !== this.#sequence) {
      throw new FramelockError(
        'INVALID_ARGUMENT',
        `cannot commit packet ${header.sequenceNumber} of SSRC ${header.ssrc}: packet ${this.#sequence} of ${this.ssrc} is next`,
        { context: { ssrc: header.ssrc, sequenceNumber: header.sequenceNumber, expected: this.#sequence } },
      );
    }
    this.#sequence = nextSequence(this.#sequence);
    this.#lastTimestamp = header.timestamp;
    this.#count(header, payloadBytes, purpose);
  }

  /** Counts a packet that was written again under its old sequence number, in answer to a NACK. */
  countRetransmission(header: RtpPacketHeader, payloadBytes: number): void {
    this.#count(header, payloadBytes, 'retransmission');
  }

  #count(header: RtpPacketHeader, payloadBytes: number, purpose: PacketPurpose): void {
    const isPadding = header.padding === true || purpose === 'padding';
    this.#packetsSent += 1;
    if (isPadding) this.#paddingBytesSent += payloadBytes;
    else this.#bytesSent += payloadBytes;
    this.#headerBytesSent += rtpHeaderBytes(header.extensions);
    if (purpose !== 'retransmission') return;
    this.#retransmittedPacketsSent += 1;
    if (!isPadding) this.#retransmittedBytesSent += payloadBytes;
  }
}
