/** Receive deltas count in these, in microseconds (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.5). */
const DELTA_TICK_US = 250;
/** The reference time counts in these, in microseconds (section 3.1). */
export const REFERENCE_TICK_US = 64_000;
/** The reference time has 24 bits. */
export const REFERENCE_TICKS = 1 << 24;

const HEADER_BYTES = 8;
const CHUNK_BYTES = 2;

/** Packet status symbols (section 3.1.1). 3 is reserved. */
const NOT_RECEIVED = 0;
const SMALL_DELTA = 1;
const LARGE_DELTA = 2;

/** What one feedback message says of a run of packets. */
export interface TransportFeedback {
  /** Transport-wide sequence number of the first packet it tells of, 0-65535. */
  readonly baseSequence: number;
  /** Receive clock in units of 64 ms, modulo 2^24. */
  readonly referenceTicks: number;
  /** Numbers the messages of the receiver, 0-255. */
  readonly feedbackCount: number;
  /** For each packet from the base on: microseconds from the reference time to its arrival, or `undefined` if it has not arrived. */
  readonly arrivalsUs: readonly (number | undefined)[];
}

/**
 * Takes apart the feedback control information of a transport-wide congestion control message (section 3.1), as `parseRtcp` hands it out.
 *
 * @param fci from the base sequence number on, padding removed; bytes beyond the last delta are ignored
 * @returns nothing if the message is malformed: shorter than it promises, of no packets, or with a reserved symbol
 */
export function parseTransportFeedback(fci: Uint8Array): TransportFeedback | undefined {
  if (fci.length < HEADER_BYTES) return undefined;
  const view = new DataView(fci.buffer, fci.byteOffset, fci.byteLength);
  const statusCount = view.getUint16(2);
  const symbols = readSymbols(view, statusCount);
  if (symbols === undefined) return undefined;
  const arrivalsUs = readArrivals(view, symbols);
  if (arrivalsUs === undefined) return undefined;
  return {
    baseSequence: view.getUint16(0),
    referenceTicks: view.getUint32(4) >>> 8,
    feedbackCount: view.getUint8(7),
    arrivalsUs,
  };
}

interface Symbols {
  readonly values: Uint8Array;
  /** Where the chunks end and the deltas begin. */
  readonly end: number;
}

/** Reads packet status chunks until there is a symbol for each packet. The last chunk may hold more. */
function readSymbols(view: DataView, count: number): Symbols | undefined {
  if (count === 0) return undefined;
  const values = new Uint8Array(count);
  let filled = 0;
  let at = HEADER_BYTES;
  while (filled < count) {
    if (at + CHUNK_BYTES > view.byteLength) return undefined;
    filled += fillFromChunk(view.getUint16(at), values.subarray(filled));
    at += CHUNK_BYTES;
  }
  return values.includes(3) ? undefined : { values, end: at };
}

/** Writes the symbols of one chunk, as many as there is room for; returns how many it holds. */
function fillFromChunk(chunk: number, room: Uint8Array): number {
  if ((chunk & 0x8000) === 0) {
    // Section 3.1.3: a run of one symbol.
    const length = chunk & 0x1fff;
    room.fill((chunk >>> 13) & 3, 0, length);
    return length;
  }
  // Section 3.1.4: fourteen symbols of one bit or seven of two, the first one highest.
  const bits = (chunk & 0x4000) === 0 ? 1 : 2;
  const capacity = 14 / bits;
  for (let index = 0; index < Math.min(capacity, room.length); index += 1) {
    room[index] = (chunk >>> (14 - bits * (index + 1))) & ((1 << bits) - 1);
  }
  return capacity;
}

function readArrivals(view: DataView, { values, end }: Symbols): (number | undefined)[] | undefined {
  const arrivalsUs: (number | undefined)[] = [];
  let at = end;
  let ticks = 0;
  for (const symbol of values) {
    if (symbol === NOT_RECEIVED) {
      arrivalsUs.push(undefined);
      continue;
    }
    if (at + (symbol === LARGE_DELTA ? 2 : 1) > view.byteLength) return undefined;
    ticks += symbol === SMALL_DELTA ? view.getUint8(at) : view.getInt16(at);
    at += symbol === SMALL_DELTA ? 1 : 2;
    arrivalsUs.push(ticks * DELTA_TICK_US);
  }
  return arrivalsUs;
}
