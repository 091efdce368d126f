/** A receiver's half of RFC 9628 for streams without layers, sharing no code with the packetizer. Throws on any violation. */

/** One frame put together from VP9 payloads. */
export interface DepacketizedVp9 {
  readonly frame: Uint8Array;
  readonly pictureId: number;
  /** P: whether it is predicted from another picture. */
  readonly interPredicted: boolean;
  /** The size in the scalability structure, if there is one. */
  readonly size?: { readonly width: number; readonly height: number };
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
  if (`${i}${l}${f}${z}` !== '1000') throw new Error(`I${i} L${l} F${f} Z${z}`);
  if ((b === '1') !== isFirst || (e === '1') !== isLast) throw new Error(`B is ${b} and E is ${e}`);
  if (view.getUint16(1) < 0x8000) throw new Error('the picture id has 7 bits');
  if (v === '1' && !isFirst) throw new Error('a structure within the frame');
  const media = payload.subarray(v === '1' ? 11 : 3);
  if (media.length === 0) throw new Error('a packet without media');
  return {
    frame: media,
    pictureId: view.getUint16(1) & 0x7fff,
    interPredicted: p === '1',
    ...(v === '1' ? { size: readStructure(view) } : {}),
  };
}

/** One layer with its size and a group of one picture that refers to the one before it (RFC 9628 section 4.2.1). */
function readStructure(view: DataView): { width: number; height: number } {
  const layers = view.getUint8(3) >>> 5;
  const flags = view.getUint8(3) & 0x1f;
  if (layers !== 0 || flags !== 0x18) throw new Error('not one layer with Y and G');
  const group = [view.getUint8(8), view.getUint8(9), view.getUint8(10)];
  if (group.join() !== '1,4,1') throw new Error(`the picture group is ${group.join()}`);
  return { width: view.getUint16(4), height: view.getUint16(6) };
}
