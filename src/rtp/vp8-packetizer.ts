import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { fragmentSizes } from './fragment-sizes.js';
import type { FrameInfo, Packetizer } from './packetizer.js';

/** X: the extension byte follows. */
const EXTENDED = 0x80;
/** N: nothing refers to the frame. */
const NON_REFERENCE = 0x20;
/** S, with partition index 0: the packet begins the frame. */
const START_OF_PARTITION = 0x10;
/** I: a picture id follows. */
const HAS_PICTURE_ID = 0x80;
/** L and T: the index of the last frame of layer 0 follows, and the layer. */
const HAS_LAYERS = 0x60;
/** M: the picture id has 15 bits. */
const LONG_PICTURE_ID = 0x80;
const PICTURE_ID_MASK = 0x7fff;
const LAYER_SHIFT = 6;
/** Y: the frame depends on the last one of layer 0 alone. */
const LAYER_SYNC = 0x20;

/**
 * VP8 payloads with a 15-bit picture id, the frame as a single partition (RFC 7741 section 4.2). In streams with temporal layers they tell the layer, and TL0PICIDX.
 *
 * The picture id begins at a random value, goes up by one a frame and stays the same in all packets of a frame. It is not reset by
 * a new encoder: a gap or a jump would read as loss. Neither is TL0PICIDX, which goes up by one with each frame of layer 0. Owner of both: the track's
 * packetizing step.
 */
export class Vp8Packetizer implements Packetizer {
  #pictureId: number;
  #baseIndex: number;

  constructor(random: Random) {
    this.#pictureId = random.uint32() & PICTURE_ID_MASK;
    this.#baseIndex = random.uint32() & 0xff;
  }

  packetize(frame: Uint8Array, { temporalLayerId }: FrameInfo, maxPayloadBytes: number): Uint8Array[] {
    if (frame.length === 0) throw new FramelockError('INVALID_FRAME', 'the VP8 frame is empty');
    const baseIndex = temporalLayerId === 0 ? (this.#baseIndex + 1) & 0xff : this.#baseIndex;
    const descriptor = this.#descriptor(temporalLayerId, baseIndex);
    let offset = 0;
    const payloads = fragmentSizes(frame.length, maxPayloadBytes - descriptor.length).map((sizeBytes) => {
      const payload = new Uint8Array(descriptor.length + sizeBytes);
      payload.set(descriptor);
      if (offset === 0) payload[0] = (descriptor[0] ?? 0) | START_OF_PARTITION;
      payload.set(frame.subarray(offset, offset + sizeBytes), descriptor.length);
      offset += sizeBytes;
      return payload;
    });
    this.#pictureId = (this.#pictureId + 1) & PICTURE_ID_MASK;
    this.#baseIndex = baseIndex;
    return payloads;
  }

  /** That of all packets of a frame but the first, which also has S. */
  #descriptor(temporalLayerId: number | undefined, baseIndex: number): readonly number[] {
    const pictureId = [LONG_PICTURE_ID | (this.#pictureId >>> 8), this.#pictureId & 0xff];
    if (temporalLayerId === undefined) return [EXTENDED, HAS_PICTURE_ID, ...pictureId];
    const isUpper = temporalLayerId > 0;
    return [
      EXTENDED | (isUpper ? NON_REFERENCE : 0),
      HAS_PICTURE_ID | HAS_LAYERS,
      ...pictureId,
      baseIndex,
      (temporalLayerId << LAYER_SHIFT) | (isUpper ? LAYER_SYNC : 0),
    ];
  }
}
