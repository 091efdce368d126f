import { FramelockError } from '../core/errors.js';
import { leb128, OBU_TYPE, type Obu, readObu } from './av1-obu.js';
import type { FrameInfo, Packetizer } from './packetizer.js';

/** The aggregation header (AV1 RTP payload specification section 4.4). */
const AGGREGATION_HEADER_BYTES = 1;
/** Z: the packet goes on with a unit of the packet before. */
const CONTINUES = 0x80;
/** Y: its last unit goes on in the next packet. */
const CONTINUED = 0x40;
/** W: the number of elements, if there are at most 3; the last one then has no length. */
const COUNT_SHIFT = 4;
const MAX_COUNTED = 3;
/** N: a coded video sequence begins. */
const NEW_SEQUENCE = 0x08;

/** Units that stay here: a packet's timestamp and marker bit tell what a temporal delimiter does (section 5). */
const NOT_SENT: readonly number[] = [OBU_TYPE.temporalDelimiter, OBU_TYPE.tileList, OBU_TYPE.padding];

/** A piece of a unit in a packet. */
interface Element {
  readonly obu: Obu;
  /** Offset in the unit, its header included. */
  readonly from: number;
  readonly sizeBytes: number;
}

/**
 * AV1 payloads (AV1 RTP payload specification 1.0 section 4). Units travel without their sizes; temporal delimiters, tile lists and
 * padding are dropped. A packet is filled up with the beginning of the next unit rather than ended with one: libwebrtc takes a packet
 * that begins with a unit for the beginning of a frame (modules/rtp_rtcp/source/video_rtp_depacketizer_av1.cc). Stateless.
 */
export class Av1Packetizer implements Packetizer {
  packetize(temporalUnit: Uint8Array, { key }: FrameInfo, maxPayloadBytes: number): Uint8Array[] {
    if (!(maxPayloadBytes > AGGREGATION_HEADER_BYTES)) {
      throw new FramelockError('INVALID_ARGUMENT', `${maxPayloadBytes} bytes a packet have no room for AV1`, {
        context: { maxPayloadBytes },
      });
    }
    const packets = planEvenly(sendableUnits(temporalUnit), maxPayloadBytes);
    return packets.map((elements, index) => {
      const isFirst = index === 0;
      return writePacket(elements, isFirst && key ? NEW_SEQUENCE : 0);
    });
  }
}

function sendableUnits(temporalUnit: Uint8Array): Obu[] {
  const units: Obu[] = [];
  for (let at = 0; at < temporalUnit.length; ) {
    const obu = readObu(temporalUnit, at);
    if (obu === undefined) {
      throw new FramelockError('INVALID_FRAME', `the AV1 temporal unit is malformed at byte ${at}`, {
        context: { sizeBytes: temporalUnit.length, at },
      });
    }
    if (!NOT_SENT.includes(obu.type)) units.push(obu);
    at = obu.end;
  }
  if (units.length === 0) {
    throw new FramelockError('INVALID_FRAME', 'the AV1 temporal unit holds no picture', {
      context: { sizeBytes: temporalUnit.length },
    });
  }
  return units;
}

/** The fewest packets, as equal as they come, so that no frame ends in a tiny one, and with no unit that begins a later packet. */
function planEvenly(units: readonly Obu[], maxPayloadBytes: number): Element[][] {
  const fewest = plan(units, maxPayloadBytes);
  const totalBytes = units.reduce((sum, unit) => sum + sizeOf(unit), 0);
  let limitBytes = Math.ceil(totalBytes / fewest.length) + AGGREGATION_HEADER_BYTES;
  for (; limitBytes < maxPayloadBytes; limitBytes += 1) {
    const even = plan(units, limitBytes);
    if (even.length === fewest.length && even.slice(1).every(([first]) => first !== undefined && first.from > 0))
      return even;
  }
  return fewest;
}

/** Fills packets of at most `limitBytes` one after the other. */
function plan(units: readonly Obu[], limitBytes: number): Element[][] {
  const packets: Element[][] = [];
  let packet: Element[] = [];
  let usedBytes = AGGREGATION_HEADER_BYTES;
  const close = (): void => {
    packets.push(packet);
    packet = [];
    usedBytes = AGGREGATION_HEADER_BYTES;
  };
  for (const obu of units) {
    for (let from = 0; from < sizeOf(obu); ) {
      const roomBytes = limitBytes - usedBytes;
      // The last of few elements has no length; of many, every one has.
      const withoutLength = packet.length < MAX_COUNTED;
      const sizeBytes = Math.min(sizeOf(obu) - from, withoutLength ? roomBytes : roomWithLength(roomBytes));
      if (sizeBytes <= 0) {
        close();
        continue;
      }
      packet.push({ obu, from, sizeBytes });
      from += sizeBytes;
      if (from < sizeOf(obu)) close();
      else usedBytes += leb128(sizeBytes).length + sizeBytes;
    }
  }
  close();
  return packets;
}

/** The largest element that fits with its length. */
function roomWithLength(roomBytes: number): number {
  const lengthBytes = leb128(Math.max(roomBytes, 0)).length;
  const sizeBytes = roomBytes - lengthBytes;
  // With the shorter size the length may be a byte shorter too.
  return leb128(Math.max(sizeBytes + 1, 0)).length < lengthBytes ? sizeBytes + 1 : sizeBytes;
}

function writePacket(elements: readonly Element[], flags: number): Uint8Array {
  const isCounted = elements.length <= MAX_COUNTED;
  const lengths = elements.map(({ sizeBytes }, index) =>
    isCounted && index === elements.length - 1 ? [] : leb128(sizeBytes),
  );
  const sizeBytes = elements.reduce(
    (sum, element, index) => sum + (lengths[index]?.length ?? 0) + element.sizeBytes,
    0,
  );
  const payload = new Uint8Array(AGGREGATION_HEADER_BYTES + sizeBytes);
  const [first] = elements;
  const last = elements.at(-1);
  payload[0] =
    flags |
    (first !== undefined && first.from > 0 ? CONTINUES : 0) |
    (last !== undefined && last.from + last.sizeBytes < sizeOf(last.obu) ? CONTINUED : 0) |
    (isCounted ? elements.length << COUNT_SHIFT : 0);
  let at = AGGREGATION_HEADER_BYTES;
  for (const [index, element] of elements.entries()) {
    const length = lengths[index] ?? [];
    payload.set(length, at);
    copyElement(element, payload, at + length.length);
    at += length.length + element.sizeBytes;
  }
  return payload;
}

function copyElement({ obu, from, sizeBytes }: Element, target: Uint8Array, at: number): void {
  const header = obu.header.slice(from, from + sizeBytes);
  target.set(header, at);
  const payloadFrom = Math.max(from - obu.header.length, 0);
  target.set(obu.payload.subarray(payloadFrom, payloadFrom + sizeBytes - header.length), at + header.length);
}

function sizeOf({ header, payload }: Obu): number {
  return header.length + payload.length;
}
