/** Content types of DTLS 1.2 records (RFC 6347 section 4.1, RFC 5246 section 6.2.1). */
export const DTLS_CONTENT = Object.freeze({ changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 });

/** A record of a datagram; `fragment` points into it. */
export interface DtlsRecord {
  readonly contentType: number;
  readonly version: { readonly major: number; readonly minor: number };
  /** 0 until the first ChangeCipherSpec: the fragment is plaintext. */
  readonly epoch: number;
  readonly sequenceNumber: number;
  readonly fragment: Buffer;
}

const RECORD_HEADER_BYTES = 13;
const VERSION_MAJOR = 254;
/** RFC 6347 section 4.1: 2^14 of plaintext and 2048 of expansion. */
const MAX_FRAGMENT_BYTES = 16_384 + 2048;

/** The records of a datagram; nothing if it is not wholly made of DTLS 1.0-1.2 records. */
export function readDtlsRecords(datagram: Buffer): readonly DtlsRecord[] | undefined {
  const records: DtlsRecord[] = [];
  for (let offset = 0; offset < datagram.length; ) {
    if (datagram.length - offset < RECORD_HEADER_BYTES) return undefined;
    const contentType = datagram.readUInt8(offset);
    const version = { major: datagram.readUInt8(offset + 1), minor: datagram.readUInt8(offset + 2) };
    const fragmentBytes = datagram.readUInt16BE(offset + 11);
    const start = offset + RECORD_HEADER_BYTES;
    const end = start + fragmentBytes;
    if (contentType < DTLS_CONTENT.changeCipherSpec || contentType > DTLS_CONTENT.applicationData) return undefined;
    if (version.major !== VERSION_MAJOR || fragmentBytes > MAX_FRAGMENT_BYTES || end > datagram.length)
      return undefined;
    records.push({
      contentType,
      version,
      epoch: datagram.readUInt16BE(offset + 3),
      sequenceNumber: datagram.readUIntBE(offset + 5, 6),
      fragment: datagram.subarray(start, end),
    });
    offset = end;
  }
  return records.length === 0 ? undefined : records;
}

/** The bytes of a record. */
export function writeDtlsRecord(record: DtlsRecord): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt8(record.contentType, 0);
  header.writeUInt8(record.version.major, 1);
  header.writeUInt8(record.version.minor, 2);
  header.writeUInt16BE(record.epoch, 3);
  header.writeUIntBE(record.sequenceNumber, 5, 6);
  header.writeUInt16BE(record.fragment.length, 11);
  return Buffer.concat([header, record.fragment]);
}
