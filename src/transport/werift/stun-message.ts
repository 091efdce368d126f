import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the guard needs of a STUN message (RFC 8489 section 5). */
export interface StunMessage {
  readonly isRequest: boolean;
  /** USERNAME, if there is one. */
  readonly username?: string;
  /** Offset of the MESSAGE-INTEGRITY attribute, if there is one. */
  readonly integrityOffset?: number;
}

const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112_a442;
const BINDING_REQUEST = 0x0001;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const ATTRIBUTE_HEADER_BYTES = 4;
const INTEGRITY_BYTES = 20;

/** Reads a STUN message; nothing if the datagram is none. */
export function readStun(datagram: Buffer): StunMessage | undefined {
  if (datagram.length < HEADER_BYTES || datagram.readUInt32BE(4) !== MAGIC_COOKIE) return undefined;
  const type = datagram.readUInt16BE(0);
  if (type > 0x3fff || datagram.readUInt16BE(2) !== datagram.length - HEADER_BYTES) return undefined;
  let username: string | undefined;
  let integrityOffset: number | undefined;
  for (let offset = HEADER_BYTES; offset < datagram.length; ) {
    if (offset + ATTRIBUTE_HEADER_BYTES > datagram.length) return undefined;
    const attribute = datagram.readUInt16BE(offset);
    const valueBytes = datagram.readUInt16BE(offset + 2);
    const end = offset + ATTRIBUTE_HEADER_BYTES + Math.ceil(valueBytes / 4) * 4;
    if (end > datagram.length) return undefined;
    const value = datagram.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + ATTRIBUTE_HEADER_BYTES + valueBytes);
    if (attribute === USERNAME) username ??= value.toString('utf8');
    if (attribute === MESSAGE_INTEGRITY && valueBytes === INTEGRITY_BYTES) integrityOffset ??= offset;
    offset = end;
  }
  return {
    isRequest: type === BINDING_REQUEST,
    ...(username === undefined ? {} : { username }),
    ...(integrityOffset === undefined ? {} : { integrityOffset }),
  };
}

/** Whether a datagram that is STUN is a connectivity check. */
export function isBindingRequest(datagram: Buffer): boolean {
  return datagram.readUInt16BE(0) === BINDING_REQUEST;
}

/** Whether the MESSAGE-INTEGRITY at `offset` was made with `password` (RFC 8489 section 14.5). */
export function hasIntegrity(datagram: Buffer, offset: number, password: string): boolean {
  const covered = Buffer.from(datagram.subarray(0, offset));
  // The length in the hash ends with MESSAGE-INTEGRITY itself, whatever follows it.
  covered.writeUInt16BE(offset - HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + INTEGRITY_BYTES, 2);
  const expected = createHmac('sha1', password).update(covered).digest();
  const start = offset + ATTRIBUTE_HEADER_BYTES;
  return timingSafeEqual(expected, datagram.subarray(start, start + INTEGRITY_BYTES));
}
