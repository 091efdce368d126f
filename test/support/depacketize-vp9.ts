/** A receiver's half of RFC 9628 for streams without spatial layers, sharing no code with the packetizer. Throws on any violation. */

/** One frame put together from VP9 payloads. */
export interface DepacketizedVp9 {
  readonly frame: Uint8Array;
  readonly pictureId: number;
  /** P: whether it is predicted from another picture. */
  readonly interPredicted: boolean;
  /** The size in the scalability structure, if there is one. */
  readonly size?: { readonly width: number; readonly height: number };
  /** In streams with temporal layers: TID, U, and how many pictures before it lies the one that it is predicted from. */
  readonly layer?: { readonly temporalLayerId: number; readonly switchingUpPoint: boolean; readonly distance?: number };
}

/** Joins the VP9 payloads of one frame (RFC 9628 section 4.2). */
export function depacketizeVp9(payloads: readonly Uint8Array[]): DepacketizedVp9 {
  const packets = payloads.map((payload, index) => readPacket(payload, index === 0, index === payloads.length - 1));
  const [first] = packets;
  if (first === undefined) throw new Error('no packets');
  const { pictureId, interPredicted, size } = first;
  if (packets.some((packet) => packet.pictureId !== pictureId || packet.interPredicted !== interPredicted)) {
    throw new Error('the picture id or P changes within the frame');
  }
  if (interPredicted !== (size === undefined)) throw new Error('a key frame without a structure, or another with one');
  return { ...first, frame: Buffer.concat(packets.map(({ frame }) => frame)) };
}

/** One packet, whose media is given as `frame`. */
function readPacket(payload: Uint8Array, isFirst: boolean, isLast: boolean): DepacketizedVp9 {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const [i, p, l, f, b, e, v, z] = view.getUint8(0).toString(2).padStart(8, '0');
  if (i !== '1' || z !== '0' || l !== f) throw new Error(`I${i} L${l} F${f} Z${z}`);
  if ((b === '1') !== isFirst || (e === '1') !== isLast) throw new Error(`B is ${b} and E is ${e}`);
  if (view.getUint16(1) < 0x8000) throw new Error('the picture id has 7 bits');
  if (v === '1' && !isFirst) throw new Error('a structure within the frame');
  const hasLayers = l === '1';
  const distanceBytes = hasLayers && p === '1' ? 1 : 0;
  const structureAt = hasLayers ? 4 + distanceBytes : 3;
  const media = payload.subarray(structureAt + (v === '1' ? (hasLayers ? 5 : 8) : 0));
  if (media.length === 0) throw new Error('a packet without media');
  return {
    frame: media,
    pictureId: view.getUint16(1) & 0x7fff,
    interPredicted: p === '1',
    ...(v === '1' ? { size: readStructure(view, structureAt, !hasLayers) } : {}),
    ...(hasLayers ? { layer: readLayer(view, distanceBytes > 0) } : {}),
  };
}

function readLayer(view: DataView, isPredicted: boolean) {
  const byte = view.getUint8(3);
  if ((byte & 0x0f) !== 0) throw new Error('a spatial layer, or one that depends on it');
  const told = { temporalLayerId: byte >>> 5, switchingUpPoint: (byte & 0x10) !== 0 };
  if (!isPredicted) return told;
  const reference = view.getUint8(4);
  if ((reference & 1) !== 0) throw new Error('a second reference');
  return { ...told, distance: reference >>> 1 };
}

/** One layer with its size and, but for flexible mode, a group of one picture that refers to the one before it (RFC 9628 section 4.2.1). */
function readStructure(view: DataView, at: number, hasGroup: boolean): { width: number; height: number } {
  const layers = view.getUint8(at) >>> 5;
  const flags = view.getUint8(at) & 0x1f;
  if (layers !== 0 || flags !== (hasGroup ? 0x18 : 0x10))
    throw new Error('not one layer with Y, and G where it is due');
  if (hasGroup) {
    const group = [view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7)];
    if (group.join() !== '1,4,1') throw new Error(`the picture group is ${group.join()}`);
  }
  return { width: view.getUint16(at + 1), height: view.getUint16(at + 3) };
}
