import { FramelockError } from '../core/errors.js';
import { splitAnnexB } from './annex-b.js';
import { fragmentSizes } from './fragment-sizes.js';
import { NAL_F_MASK, NAL_NRI_MASK, NAL_TYPE, nalType } from './h264-nal.js';
import type { FrameInfo, Packetizer } from './packetizer.js';

/** The size field before each unit in a STAP-A (RFC 6184 section 5.7.1). */
const STAP_SIZE_BYTES = 2;
/** FU indicator and FU header (RFC 6184 section 5.8). */
const FU_HEADER_BYTES = 2;
const FU_START = 0x80;
const FU_END = 0x40;

/**
 * H.264 payloads in packetization-mode 1 (RFC 6184 section 5.4): parameter sets and SEI that follow one another share a STAP-A where
 * they fit, every other NAL unit has a packet of its own, or FU-A fragments if it is too large. Access unit delimiters are dropped:
 * the marker bit and the timestamp tell as much. Stateless.
 */
export class H264Packetizer implements Packetizer {
  packetize(frame: Uint8Array, _info: FrameInfo, maxPayloadBytes: number): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    for (const group of groupUnits(sendableUnits(frame), maxPayloadBytes)) {
      const [first] = group;
      if (first === undefined) continue;
      if (group.length > 1) payloads.push(aggregate(group));
      // Not slice(): on a Node Buffer that would be a view into the encoder's memory.
      else if (first.length <= maxPayloadBytes) payloads.push(new Uint8Array(first));
      else payloads.push(...fragment(first, maxPayloadBytes));
    }
    return payloads;
  }
}

function sendableUnits(frame: Uint8Array): Uint8Array[] {
  const units = splitAnnexB(frame).filter((unit) => nalType(unit) !== NAL_TYPE.accessUnitDelimiter);
  if (units.length === 0) {
    throw new FramelockError('INVALID_FRAME', 'the H.264 frame holds nothing but access unit delimiters', {
      context: { sizeBytes: frame.length },
    });
  }
  for (const unit of units) {
    const type = nalType(unit);
    // On the wire these would read as aggregates or fragments (RFC 6184 section 5.2).
    if (type === 0 || type > NAL_TYPE.lastSingle) {
      throw new FramelockError('INVALID_FRAME', `the H.264 frame holds a NAL unit of type ${type}; RTP carries 1-23`, {
        context: { nalUnitType: type },
      });
    }
  }
  return units;
}

/** Groups of units that share a packet: runs of parameter sets and SEI as long as they fit, and single units. */
function groupUnits(units: readonly Uint8Array[], maxPayloadBytes: number): Uint8Array[][] {
  const groups: Uint8Array[][] = [];
  let open: { readonly group: Uint8Array[]; sizeBytes: number } | undefined;
  for (const unit of units) {
    const addedBytes = STAP_SIZE_BYTES + unit.length;
    if (!isAggregated(unit)) {
      groups.push([unit]);
      open = undefined;
    } else if (open !== undefined && open.sizeBytes + addedBytes <= maxPayloadBytes) {
      open.group.push(unit);
      open.sizeBytes += addedBytes;
    } else {
      open = { group: [unit], sizeBytes: 1 + addedBytes };
      groups.push(open.group);
    }
  }
  return groups;
}

function isAggregated(unit: Uint8Array): boolean {
  const type = nalType(unit);
  return type === NAL_TYPE.sps || type === NAL_TYPE.pps || type === NAL_TYPE.sei;
}

/** A STAP-A: its header takes the largest importance of its units and the forbidden bit of any (RFC 6184 section 5.7). */
function aggregate(units: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 1;
  let forbidden = 0;
  let importance = 0;
  for (const unit of units) {
    const header = unit[0] ?? 0;
    sizeBytes += STAP_SIZE_BYTES + unit.length;
    forbidden |= header & NAL_F_MASK;
    importance = Math.max(importance, header & NAL_NRI_MASK);
  }
  const payload = new Uint8Array(sizeBytes);
  payload[0] = forbidden | importance | NAL_TYPE.stapA;
  let at = 1;
  for (const unit of units) {
    payload[at] = unit.length >>> 8;
    payload[at + 1] = unit.length & 0xff;
    payload.set(unit, at + STAP_SIZE_BYTES);
    at += STAP_SIZE_BYTES + unit.length;
  }
  return payload;
}

/** FU-A fragments; the NAL unit's header byte is not repeated but rebuilt from the two header bytes. */
function fragment(unit: Uint8Array, maxPayloadBytes: number): Uint8Array[] {
  const indicator = ((unit[0] ?? 0) & (NAL_F_MASK | NAL_NRI_MASK)) | NAL_TYPE.fuA;
  let offset = 1;
  return fragmentSizes(unit.length - 1, maxPayloadBytes - FU_HEADER_BYTES).map((sizeBytes) => {
    const start = offset === 1 ? FU_START : 0;
    const end = offset + sizeBytes === unit.length ? FU_END : 0;
    const payload = new Uint8Array(FU_HEADER_BYTES + sizeBytes);
    payload[0] = indicator;
    payload[1] = start | end | nalType(unit);
    payload.set(unit.subarray(offset, offset + sizeBytes), FU_HEADER_BYTES);
    offset += sizeBytes;
    return payload;
  });
}
