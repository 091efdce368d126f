import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { fragmentSizes } from './fragment-sizes.js';
import type { FrameInfo, Packetizer } from './packetizer.js';
import { readVp9KeyFrame } from './vp9-key-frame.js';

/** I: a picture id follows. */
const HAS_PICTURE_ID = 0x80;
/** P: the picture is predicted from another one. */
const INTER_PREDICTED = 0x40;
/** L: a byte with the layers follows. */
const HAS_LAYERS = 0x20;
/** F: pictures name those that they are predicted from. */
const FLEXIBLE = 0x10;
/** B and E: the packet begins and ends the frame. */
const START_OF_FRAME = 0x08;
const END_OF_FRAME = 0x04;
/** V: a scalability structure follows. */
const HAS_STRUCTURE = 0x02;
/** M: the picture id has 15 bits. */
const LONG_PICTURE_ID = 0x80;
const PICTURE_ID_MASK = 0x7fff;
const TEMPORAL_LAYER_SHIFT = 5;
/** U: no later picture depends on an earlier one of a layer above that of this picture. */
const SWITCHING_UP_POINT = 0x10;

/** N_S = 0, one spatial layer; Y: its size follows. */
const ONE_LAYER = 0x10;
/** G: a picture group follows. */
const HAS_GROUP = 0x08;
/** R = 1: one reference picture. */
const ONE_REFERENCE = 0x04;

/**
 * VP9 payloads with a 15-bit picture id (RFC 9628 section 4.2). Key frames tell their structure in their first packet: one spatial layer of the size in the
 * frame's header. Without temporal layers the mode is not flexible, and there is a group of one picture, predicted from the one before it. With them it is: each
 * picture tells its layer, and names the last one of layer 0 as the only one that it is predicted from.
 *
 * The picture id begins at a random value, goes up by one a frame and stays the same in all packets of a frame. It is not reset by
 * a new encoder: receivers take the picture before a delta frame, by this number, for the one that it depends on. Owner of the picture
 * id: the track's packetizing step.
 */
export class Vp9Packetizer implements Packetizer {
  #pictureId: number;
  /** Of the last picture of layer 0. */
  #basePictureId: number;

  constructor(random: Random) {
    this.#pictureId = random.uint32() & PICTURE_ID_MASK;
    this.#basePictureId = this.#pictureId;
  }

  packetize(frame: Uint8Array, { key, temporalLayerId }: FrameInfo, maxPayloadBytes: number): Uint8Array[] {
    if (frame.length === 0) throw new FramelockError('INVALID_FRAME', 'the VP9 frame is empty');
    const structure = key ? structureOf(frame, temporalLayerId === undefined) : [];
    const descriptor = this.#descriptor(key, temporalLayerId);
    const totalBytes = structure.length + frame.length;
    const sizes = fragmentSizes(totalBytes, maxPayloadBytes - descriptor.length);
    if ((sizes[0] ?? 0) <= structure.length) {
      throw new FramelockError(
        'INVALID_ARGUMENT',
        `${maxPayloadBytes} bytes a packet have no room for a VP9 key frame`,
        {
          context: { maxPayloadBytes },
        },
      );
    }
    let offset = 0;
    const payloads = sizes.map((sizeBytes) => {
      const isFirst = offset === 0;
      const isLast = offset + sizeBytes === totalBytes;
      const payload = new Uint8Array(descriptor.length + sizeBytes);
      payload.set(descriptor);
      payload[0] =
        (descriptor[0] ?? 0) |
        (isFirst ? START_OF_FRAME : 0) |
        (isLast ? END_OF_FRAME : 0) |
        (isFirst && key ? HAS_STRUCTURE : 0);
      if (isFirst) payload.set(structure, descriptor.length);
      const mediaFrom = Math.max(offset - structure.length, 0);
      const media = frame.subarray(mediaFrom, offset + sizeBytes - structure.length);
      payload.set(media, payload.length - media.length);
      offset += sizeBytes;
      return payload;
    });
    if (temporalLayerId === 0) this.#basePictureId = this.#pictureId;
    this.#pictureId = (this.#pictureId + 1) & PICTURE_ID_MASK;
    return payloads;
  }

  /** What all packets of a picture have in common. */
  #descriptor(key: boolean, temporalLayerId: number | undefined): readonly number[] {
    const flags = HAS_PICTURE_ID | (key ? 0 : INTER_PREDICTED);
    const pictureId = [LONG_PICTURE_ID | (this.#pictureId >>> 8), this.#pictureId & 0xff];
    if (temporalLayerId === undefined) return [flags, ...pictureId];
    const layer = (temporalLayerId << TEMPORAL_LAYER_SHIFT) | SWITCHING_UP_POINT;
    // P_DIFF, with N = 0: no other one follows. Three frames at the most lie between two of layer 0.
    const distance = (this.#pictureId - this.#basePictureId) & PICTURE_ID_MASK;
    return [flags | HAS_LAYERS | FLEXIBLE, ...pictureId, layer, ...(key ? [] : [distance << 1])];
  }
}

/** The scalability structure of a key frame (RFC 9628 section 4.2.1): 8 bytes with a group, 5 without. */
function structureOf(frame: Uint8Array, hasGroup: boolean): readonly number[] {
  const size = readVp9KeyFrame(frame);
  if (size === undefined) {
    throw new FramelockError('INVALID_FRAME', 'the VP9 frame is said to be a key frame, and its header is not of one', {
      context: { sizeBytes: frame.length },
    });
  }
  const { width, height } = size;
  const sides = [width >>> 8, width & 0xff, height >>> 8, height & 0xff];
  if (!hasGroup) return [ONE_LAYER, ...sides];
  const pictures = 1;
  const distance = 1;
  return [ONE_LAYER | HAS_GROUP, ...sides, pictures, ONE_REFERENCE, distance];
}
