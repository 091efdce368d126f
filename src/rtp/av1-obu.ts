/** Types of open bitstream units (AV1 bitstream specification section 6.2.2). */
export const OBU_TYPE = Object.freeze({
  sequenceHeader: 1,
  temporalDelimiter: 2,
  tileList: 8,
  padding: 15,
});

/** The header's flags: an extension byte follows, and then a size. */
const HAS_EXTENSION = 0x04;
const HAS_SIZE = 0x02;
const FORBIDDEN = 0x80;

/** A leb128 number takes at most this many bytes. */
const MAX_LEB128_BYTES = 8;

/** An open bitstream unit. Its parts are views into the stream. */
export interface Obu {
  readonly type: number;
  /** The header without its size flag, and the extension byte if there is one. */
  readonly header: readonly number[];
  readonly payload: Uint8Array;
  /** Where the next one begins in the stream. */
  readonly end: number;
}

/**
 * Reads the unit at `start` of a stream in the low-overhead format (AV1 bitstream specification section 5.3.1); undefined if it is
 * malformed or reaches beyond the stream. A unit without a size goes on to the end.
 */
export function readObu(stream: Uint8Array, start: number): Obu | undefined {
  const first = stream[start];
  if (first === undefined || (first & FORBIDDEN) !== 0) return undefined;
  const hasExtension = (first & HAS_EXTENSION) !== 0;
  const extension = stream[start + 1];
  if (hasExtension && extension === undefined) return undefined;
  const header = hasExtension && extension !== undefined ? [first & ~HAS_SIZE, extension] : [first & ~HAS_SIZE];
  const size = (first & HAS_SIZE) === 0 ? undefined : readLeb128(stream, start + header.length);
  if (size === undefined && (first & HAS_SIZE) !== 0) return undefined;
  const at = size?.end ?? start + header.length;
  const end = size === undefined ? stream.length : at + size.value;
  if (end > stream.length) return undefined;
  return { type: (first >>> 3) & 0x0f, header, payload: stream.subarray(at, end), end };
}

/** A leb128 number (AV1 bitstream specification section 4.10.5). */
function readLeb128(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < MAX_LEB128_BYTES; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return { value, end: start + index + 1 };
  }
  return undefined;
}

/** The bytes of a number below 2^28, as leb128. */
export function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}
