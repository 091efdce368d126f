import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { fragmentSizes } from './fragment-sizes.js';
import type { Packetizer } from './packetizer.js';

const DESCRIPTOR_BYTES = 4;
/** X: the extension byte follows. */
const EXTENDED = 0x80;
/** S, with partition index 0: the packet begins the frame. */
const START_OF_PARTITION = 0x10;
/** I: a picture id follows. */
const HAS_PICTURE_ID = 0x80;
/** M: the picture id has 15 bits. */
const LONG_PICTURE_ID = 0x80;
const PICTURE_ID_MASK = 0x7fff;

/**
 * VP8 payloads with a 15-bit picture id, the frame as a single partition (RFC 7741 section 4.2).
 *
 * The picture id begins at a random value, goes up by one a frame and stays the same in all packets of a frame. It is not reset by
 * a new encoder: a gap or a jump would read as loss. Owner of the picture id: the track's packetizing step.
 */
export class Vp8Packetizer implements Packetizer {
  #pictureId: number;

  constructor(random: Random) {
    this.#pictureId = random.uint32() & PICTURE_ID_MASK;
  }

  packetize(frame: Uint8Array, _info: { readonly key: boolean }, maxPayloadBytes: number): Uint8Array[] {
    if (frame.length === 0) throw new FramelockError('INVALID_FRAME', 'the VP8 frame is empty');
    let offset = 0;
    const payloads = fragmentSizes(frame.length, maxPayloadBytes - DESCRIPTOR_BYTES).map((sizeBytes) => {
      const payload = new Uint8Array(DESCRIPTOR_BYTES + sizeBytes);
      payload[0] = offset === 0 ? EXTENDED | START_OF_PARTITION : EXTENDED;
      payload[1] = HAS_PICTURE_ID;
      payload[2] = LONG_PICTURE_ID | (this.#pictureId >>> 8);
      payload[3] = this.#pictureId & 0xff;
      payload.set(frame.subarray(offset, offset + sizeBytes), DESCRIPTOR_BYTES);
      offset += sizeBytes;
      return payload;
    });
    this.#pictureId = (this.#pictureId + 1) & PICTURE_ID_MASK;
    return payloads;
  }
}
