/** One RTP header extension element (RFC 8285). */
export interface RtpHeaderExtension {
  /** Local identifier, 1-14. */
  readonly id: number;
  /** 1-16 bytes. */
  readonly data: Uint8Array;
}

/** The fields of an RTP header that a sender sets (RFC 3550 section 5.1); version 2, no CSRC. */
export interface RtpPacketHeader {
  readonly payloadType: number;
  /** 0-65535 */
  readonly sequenceNumber: number;
  /** 0-4294967295, in units of the payload's clock */
  readonly timestamp: number;
  readonly ssrc: number;
  readonly marker: boolean;
  readonly extensions: readonly RtpHeaderExtension[];
  /** The payload is padding and nothing else: 1-255 bytes, of which the last one tells how many there are. @default false */
  readonly padding?: boolean;
}
