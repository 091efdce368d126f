/** A receiver's half of the payload formats, written from the RFCs and sharing no code with the packetizers. Throws on any violation. */

/** One frame put together from VP8 payloads. */
export interface DepacketizedVp8 {
  readonly frame: Uint8Array;
  readonly pictureId: number;
  /** In streams with temporal layers. */
  readonly layer?: Vp8Layer;
}

/** What is told of temporal layers: N, TL0PICIDX, TID and Y. */
export interface Vp8Layer {
  readonly nonReference: boolean;
  readonly baseIndex: number;
  readonly temporalLayerId: number;
  readonly sync: boolean;
}

/** Joins the VP8 payloads of one frame (RFC 7741 section 4.2). */
export function depacketizeVp8(payloads: readonly Uint8Array[]): DepacketizedVp8 {
  const parts: Uint8Array[] = [];
  let pictureId: number | undefined;
  let layer: Vp8Layer | undefined;
  payloads.forEach((payload, index) => {
    const { descriptorBytes, start, partition, id, layer: told } = readVp8Descriptor(payload);
    if (start !== (index === 0)) throw new Error(`S is ${start} in packet ${index}`);
    if (partition !== 0) throw new Error(`partition ${partition} in packet ${index}`);
    if (pictureId !== undefined && id !== pictureId) throw new Error('the picture id changes within the frame');
    if (payload.length === descriptorBytes) throw new Error('a packet without media');
    if (index > 0 && JSON.stringify(told) !== JSON.stringify(layer))
      throw new Error('the layer changes within the frame');
    pictureId = id;
    layer = told;
    parts.push(payload.subarray(descriptorBytes));
  });
  if (pictureId === undefined) throw new Error('no packets');
  return { frame: concat(parts), pictureId, ...(layer === undefined ? {} : { layer }) };
}

function readVp8Descriptor(payload: Uint8Array) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const first = view.getUint8(0);
  if ((first & 0x80) === 0) throw new Error('X is not set');
  if ((first & 0x48) !== 0) throw new Error('R is set');
  const extension = view.getUint8(1);
  if (extension !== 0x80 && extension !== 0xe0) throw new Error('the extension byte is not I, alone or with L and T');
  const hasLayers = extension === 0xe0;
  if (!hasLayers && (first & 0x20) !== 0) throw new Error('N is set without layers');
  if ((view.getUint8(2) & 0x80) === 0) throw new Error('the picture id has 7 bits');
  return {
    descriptorBytes: hasLayers ? 6 : 4,
    start: (first & 0x10) !== 0,
    partition: first & 0x07,
    id: view.getUint16(2) & 0x7fff,
    layer: hasLayers ? readVp8Layer(view, (first & 0x20) !== 0) : undefined,
  };
}

function readVp8Layer(view: DataView, nonReference: boolean): Vp8Layer {
  const byte = view.getUint8(5);
  if ((byte & 0x1f) !== 0) throw new Error('KEYIDX without K');
  return { nonReference, baseIndex: view.getUint8(4), temporalLayerId: byte >>> 6, sync: (byte & 0x20) !== 0 };
}

/** Takes the NAL units out of the H.264 payloads of one access unit (RFC 6184 sections 5.6, 5.7.1 and 5.8). */
export function depacketizeH264(payloads: readonly Uint8Array[]): Uint8Array[] {
  const units: Uint8Array[] = [];
  const fragments: Uint8Array[] = [];
  for (const payload of payloads) {
    const type = byteAt(payload, 0) & 0x1f;
    if (type === 28) {
      const isLast = addFragment(fragments, payload);
      if (isLast) units.push(concat(fragments.splice(0)));
      continue;
    }
    if (fragments.length > 0) throw new Error('a fragmented unit is not ended');
    if (type >= 1 && type <= 23) units.push(payload);
    else if (type === 24) units.push(...readStapA(payload));
    else throw new Error(`packet type ${type} is not of packetization-mode 1`);
  }
  if (fragments.length > 0) throw new Error('the last fragment has no end bit');
  return units;
}

/** Adds an FU-A to the fragments of its unit, the rebuilt NAL unit header first; tells whether it is the last. */
function addFragment(fragments: Uint8Array[], payload: Uint8Array): boolean {
  const indicator = byteAt(payload, 0);
  const header = byteAt(payload, 1);
  const [start, end] = [(header & 0x80) !== 0, (header & 0x40) !== 0];
  if (start && end) throw new Error('a fragment that is the whole unit');
  if (start !== (fragments.length === 0)) throw new Error('the start bit is misplaced');
  if (payload.length < 3) throw new Error('a fragment without media');
  if (start) fragments.push(Uint8Array.of((indicator & 0xe0) | (header & 0x1f)));
  fragments.push(payload.subarray(2));
  return end;
}

function readStapA(payload: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let at = 1; at < payload.length; ) {
    const size = byteAt(payload, at) * 256 + byteAt(payload, at + 1);
    if (size === 0 || at + 2 + size > payload.length) throw new Error('a unit reaches beyond its STAP-A');
    units.push(payload.subarray(at + 2, at + 2 + size));
    at += 2 + size;
  }
  if (units.length < 2) throw new Error('a STAP-A of fewer than two units');
  const importance = Math.max(...units.map((unit) => byteAt(unit, 0) & 0x60));
  if ((byteAt(payload, 0) & 0x60) !== importance) throw new Error('NRI is not the largest of the units');
  const forbidden = units.some((unit) => byteAt(unit, 0) >= 0x80);
  if (byteAt(payload, 0) >= 0x80 !== forbidden) throw new Error('F is not that of the units');
  return units;
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new Error(`no byte ${index}: the payload has ${bytes.length}`);
  return byte;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
