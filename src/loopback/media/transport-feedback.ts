import { sequenceDistance } from '../../core/sequence.js';
import { RTCP_TYPE, RTPFB_FORMAT } from '../../rtp/rtcp-packet.js';

/** Ticks of receive deltas and of the reference time, in microseconds. */
const DELTA_US = 250;
const REFERENCE_US = 64_000;
/** Two-bit symbols in a status vector chunk. */
const SYMBOLS_PER_CHUNK = 7;
/** Most packets that one feedback tells about; those beyond go into the next one. */
const MAX_STATUS_COUNT = 512;
const MAX_DELTA_TICKS = 0x7fff;

const NOT_RECEIVED = 0;
const SMALL_DELTA = 1;
const LARGE_DELTA = 2;

interface Arrival {
  /** Unwrapped transport-wide sequence number. */
  readonly sequence: number;
  readonly atUs: number;
}

/**
 * Collects arrivals and writes transport-wide congestion control feedback about them, for the publisher's bandwidth estimator
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). Only two-bit status vectors are used: any receiver must read
 * them, and on loopback compactness is worth nothing.
 */
export class TransportFeedback {
  readonly #senderSsrc: number;
  #arrivals: Arrival[] = [];
  #highest: number | undefined;
  /** Of the first packet that no message has told about. */
  #untold: number | undefined;
  #count = 0;

  constructor(senderSsrc: number) {
    this.#senderSsrc = senderSsrc;
  }

  /** @param sequenceNumber the packet's transport-wide sequence number, 0-65535 */
  packet(sequenceNumber: number, nowUs: number): void {
    const highest = this.#highest ?? sequenceNumber;
    const sequence = highest + sequenceDistance(highest & 0xffff, sequenceNumber);
    this.#highest = Math.max(highest, sequence);
    this.#arrivals.push({ sequence, atUs: nowUs });
  }

  /** Feedback about everything that arrived since the last call, oldest first. */
  take(mediaSsrc: number): Uint8Array[] {
    const arrivals = this.#arrivals.sort((a, b) => a.sequence - b.sequence);
    this.#arrivals = [];
    const messages: Uint8Array[] = [];
    for (let at = 0; at < arrivals.length; ) {
      const batch = nextBatch(arrivals, at, this.#untold);
      this.#untold = Math.max(this.#untold ?? batch.endSequence, batch.endSequence);
      messages.push(writeFeedback(this.#senderSsrc, mediaSsrc, this.#count, batch));
      this.#count = (this.#count + 1) & 0xff;
      at += batch.consumed;
    }
    return messages;
  }
}

interface Batch {
  /** Arrivals used up, duplicates included. */
  readonly consumed: number;
  /** Of the first packet that it tells about, and of the one after the last. */
  readonly baseSequence: number;
  readonly endSequence: number;
  readonly referenceTime: number;
  /** One symbol a sequence number, from the base on. */
  readonly symbols: readonly number[];
  /** Deltas of received packets, in ticks. */
  readonly deltas: readonly number[];
}

/**
 * As many arrivals, from `start` on, as one message can express. It begins where the one before ended, so that what is missing between them is
 * told of as well (libwebrtc's transport_sequence_number_feedback_generator.cc).
 */
function nextBatch(arrivals: readonly Arrival[], start: number, untold: number | undefined): Batch {
  const first = arrivals[start] ?? { sequence: 0, atUs: 0 };
  const missing = first.sequence - (untold ?? first.sequence);
  const base = missing > 0 && missing < MAX_STATUS_COUNT ? first.sequence - missing : first.sequence;
  const referenceTime = Math.floor(first.atUs / REFERENCE_US);
  const symbols: number[] = [];
  const deltas: number[] = [];
  let atTicks = (referenceTime * REFERENCE_US) / DELTA_US;
  let consumed = 0;
  for (const arrival of arrivals.slice(start)) {
    const position = arrival.sequence - base;
    const duplicate = position < symbols.length;
    const delta = Math.round(arrival.atUs / DELTA_US) - atTicks;
    if (!duplicate && (position >= MAX_STATUS_COUNT || Math.abs(delta) > MAX_DELTA_TICKS)) break;
    consumed += 1;
    // The first arrival counts.
    if (duplicate) continue;
    while (symbols.length < position) symbols.push(NOT_RECEIVED);
    symbols.push(delta >= 0 && delta <= 0xff ? SMALL_DELTA : LARGE_DELTA);
    deltas.push(delta);
    atTicks += delta;
  }
  return { consumed, baseSequence: base, endSequence: base + symbols.length, referenceTime, symbols, deltas };
}

function writeFeedback(senderSsrc: number, mediaSsrc: number, count: number, batch: Batch): Uint8Array {
  const { symbols, deltas } = batch;
  const chunks = Math.ceil(symbols.length / SYMBOLS_PER_CHUNK);
  let deltaBytes = 0;
  for (const symbol of symbols) deltaBytes += symbol;
  const unpadded = 20 + chunks * 2 + deltaBytes;
  const sizeBytes = Math.ceil(unpadded / 4) * 4;
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  const padding = sizeBytes - unpadded;
  view.setUint8(0, 0x80 | (padding > 0 ? 0x20 : 0) | RTPFB_FORMAT.transportCc);
  view.setUint8(1, RTCP_TYPE.rtpfb);
  view.setUint16(2, sizeBytes / 4 - 1);
  view.setUint32(4, senderSsrc);
  view.setUint32(8, mediaSsrc);
  view.setUint16(12, batch.baseSequence & 0xffff);
  view.setUint16(14, symbols.length);
  view.setUint32(16, ((batch.referenceTime & 0xff_ffff) << 8) | count);
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    view.setUint16(20 + chunk * 2, statusVector(symbols.slice(chunk * SYMBOLS_PER_CHUNK)));
  }
  let at = 20 + chunks * 2;
  for (const delta of deltas) {
    if (delta >= 0 && delta <= 0xff) view.setUint8(at, delta);
    else view.setInt16(at, delta);
    at += delta >= 0 && delta <= 0xff ? 1 : 2;
  }
  if (padding > 0) view.setUint8(sizeBytes - 1, padding);
  return bytes;
}

/** A status vector chunk of up to seven two-bit symbols, the first one highest. */
function statusVector(symbols: readonly number[]): number {
  let chunk = 0xc000;
  for (let index = 0; index < SYMBOLS_PER_CHUNK; index += 1) {
    chunk |= (symbols[index] ?? NOT_RECEIVED) << (2 * (SYMBOLS_PER_CHUNK - 1 - index));
  }
  return chunk;
}
