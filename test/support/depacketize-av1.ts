/** A receiver's half of the AV1 RTP payload specification 1.0, sharing no code with the packetizer. Throws on any violation. */

/** One temporal unit put together from AV1 payloads. */
export interface DepacketizedAv1 {
  /** The units, each without a size field. */
  readonly obus: readonly Uint8Array[];
  /** N: whether a coded video sequence begins. */
  readonly newSequence: boolean;
}

/** Joins the AV1 payloads of one temporal unit (sections 4.3 and 4.4). */
export function depacketizeAv1(payloads: readonly Uint8Array[]): DepacketizedAv1 {
  const obus: Uint8Array[] = [];
  let open: Uint8Array[] | undefined;
  let newSequence = false;
  for (const [index, payload] of payloads.entries()) {
    const header = payload[0] ?? 0;
    if ((header & 0x07) !== 0) throw new Error('reserved bits are set');
    const continues = (header & 0x80) !== 0;
    const continued = (header & 0x40) !== 0;
    if (continues !== (open !== undefined)) throw new Error(`Z is ${continues} in packet ${index}`);
    if ((header & 0x08) !== 0) {
      if (index > 0) throw new Error('N beyond the first packet');
      newSequence = true;
    }
    const elements = readElements(payload.subarray(1), (header >>> 4) & 3);
    elements.forEach((element, position) => {
      open = [...(open ?? []), element];
      if (position === elements.length - 1 && continued) return;
      obus.push(Buffer.concat(open));
      open = undefined;
    });
  }
  if (open !== undefined) throw new Error('the last unit is not ended');
  for (const obu of obus) if (((obu[0] ?? 0) & 0x82) !== 0) throw new Error('a forbidden bit or a size field');
  return { obus, newSequence };
}

/** @param count W: the number of elements, of which the last has no length; 0: all have one */
function readElements(body: Uint8Array, count: number): Uint8Array[] {
  const elements: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    let size = 0;
    if (count > 0 && elements.length === count - 1) {
      size = body.length - at;
    } else {
      for (let shift = 0, more = true; more; shift += 7, at += 1) {
        const byte = body[at];
        if (byte === undefined) throw new Error('a length is cut off');
        size |= (byte & 0x7f) << shift;
        more = byte >= 0x80;
      }
    }
    if (size === 0 || at + size > body.length)
      throw new Error(`an element of ${size} bytes at ${at} of ${body.length}`);
    elements.push(body.subarray(at, at + size));
    at += size;
  }
  if (elements.length === 0 || (count > 0 && elements.length !== count)) throw new Error(`W is ${count}`);
  return elements;
}

/** The units of a temporal unit in the low-overhead format, each with its size field taken out: what a receiver is to get. */
export function withoutSizes(temporalUnit: Uint8Array): Uint8Array[] {
  const obus: Uint8Array[] = [];
  const view = Buffer.from(temporalUnit);
  for (let at = 0; at < view.length; ) {
    const header = view.subarray(at, at + (((view[at] ?? 0) & 4) === 0 ? 1 : 2));
    if (((view[at] ?? 0) & 2) === 0) throw new Error('a unit without a size');
    let size = 0;
    let next = at + header.length;
    for (let shift = 0; ; shift += 7, next += 1) {
      size |= (view.readUInt8(next) & 0x7f) << shift;
      if (view.readUInt8(next) < 0x80) break;
    }
    const body = view.subarray(next + 1, next + 1 + size);
    obus.push(Buffer.concat([Buffer.of(header.readUInt8(0) & ~2), header.subarray(1), body]));
    at = next + 1 + size;
  }
  return obus;
}
