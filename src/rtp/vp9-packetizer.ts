import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { fragmentSizes } from './fragment-sizes.js';
import type { Packetizer } from './packetizer.js';
import { readVp9KeyFrame } from './vp9-key-frame.js';

const DESCRIPTOR_BYTES = 3;
/** I: a picture id follows. */
const HAS_PICTURE_ID = 0x80;
/** P: the picture is predicted from another one. */
const INTER_PREDICTED = 0x40;
/** B and E: the packet begins and ends the frame. */
const START_OF_FRAME = 0x08;
const END_OF_FRAME = 0x04;
/** V: a scalability structure follows. */
const HAS_STRUCTURE = 0x02;
/** M: the picture id has 15 bits. */
const LONG_PICTURE_ID = 0x80;
const PICTURE_ID_MASK = 0x7fff;

/** N_S = 0, one spatial layer; Y and G: its size and a picture group follow. */
const ONE_LAYER = 0x18;
/** R = 1: one reference picture. */
const ONE_REFERENCE = 0x04;

/**
 * VP9 payloads in non-flexible mode with a 15-bit picture id and no layers (RFC 9628 section 4.2). Key frames tell their structure in
 * their first packet: one layer of the size in the frame's header, and a group of one picture, predicted from the one before it.
 *
 * The picture id begins at a random value, goes up by one a frame and stays the same in all packets of a frame. It is not reset by
 * a new encoder: receivers take the picture before a delta frame, by this number, for the one that it depends on. Owner of the picture
 * id: the track's packetizing step.
 */
export class Vp9Packetizer implements Packetizer {
  #pictureId: number;

  constructor(random: Random) {
    this.#pictureId = random.uint32() & PICTURE_ID_MASK;
  }

  packetize(frame: Uint8Array, { key }: { readonly key: boolean }, maxPayloadBytes: number): Uint8Array[] {
    if (frame.length === 0) throw new FramelockError('INVALID_FRAME', 'the VP9 frame is empty');
    const structure = key ? structureOf(frame) : [];
    const totalBytes = structure.length + frame.length;
    const sizes = fragmentSizes(totalBytes, maxPayloadBytes - DESCRIPTOR_BYTES);
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
      const payload = new Uint8Array(DESCRIPTOR_BYTES + sizeBytes);
      payload[0] =
        HAS_PICTURE_ID |
        (key ? 0 : INTER_PREDICTED) |
        (isFirst ? START_OF_FRAME : 0) |
        (isLast ? END_OF_FRAME : 0) |
        (isFirst && key ? HAS_STRUCTURE : 0);
      payload[1] = LONG_PICTURE_ID | (this.#pictureId >>> 8);
      payload[2] = this.#pictureId & 0xff;
      if (isFirst) payload.set(structure, DESCRIPTOR_BYTES);
      const mediaFrom = Math.max(offset - structure.length, 0);
      const media = frame.subarray(mediaFrom, offset + sizeBytes - structure.length);
      payload.set(media, payload.length - media.length);
      offset += sizeBytes;
      return payload;
    });
    this.#pictureId = (this.#pictureId + 1) & PICTURE_ID_MASK;
    return payloads;
  }
}

/** The scalability structure of a key frame (RFC 9628 section 4.2.1): 8 bytes. */
function structureOf(frame: Uint8Array): readonly number[] {
  const size = readVp9KeyFrame(frame);
  if (size === undefined) {
    throw new FramelockError('INVALID_FRAME', 'the VP9 frame is said to be a key frame, and its header is not of one', {
      context: { sizeBytes: frame.length },
    });
  }
  const { width, height } = size;
  const pictures = 1;
  const distance = 1;
  return [ONE_LAYER, width >>> 8, width & 0xff, height >>> 8, height & 0xff, pictures, ONE_REFERENCE, distance];
}
