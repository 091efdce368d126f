import { validateBitrate } from './validate-frame.js';

/** What one frame is to be encoded as. */
export interface EncodeWish {
  readonly bitrateBps: number;
  readonly keyFrame: boolean;
}

/**
 * What an encoder is asked for between two frames: a target, and key frames. A wish for a key frame lasts until a frame that was encoded as one
 * has become a chunk; several wishes become one key frame, and a wish that comes during an encode is for the next frame.
 *
 * Owner: the encoder, on the JavaScript thread.
 */
export class EncoderControls {
  #bitrateBps: number;
  /** A stream begins with a key frame. */
  #keyFrameWanted = true;

  constructor(bitrateBps: number) {
    this.#bitrateBps = bitrateBps;
  }

  /** @throws FramelockError INVALID_BITRATE */
  setBitrate(bitrateBps: number): void {
    validateBitrate(bitrateBps);
    this.#bitrateBps = bitrateBps;
  }

  forceKeyFrame(): void {
    this.#keyFrameWanted = true;
  }

  /** Runs the encode of one frame as it is wished for now; nothing comes of a frame that is left out. */
  async apply<Chunk>(encode: (wish: EncodeWish) => Promise<Chunk | undefined>): Promise<Chunk | undefined> {
    const wish = { bitrateBps: this.#bitrateBps, keyFrame: this.#keyFrameWanted };
    this.#keyFrameWanted = false;
    try {
      const chunk = await encode(wish);
      // A frame that was left out is no key frame.
      if (chunk === undefined) this.#keyFrameWanted ||= wish.keyFrame;
      return chunk;
    } catch (error) {
      // The encoder may have taken the frame as a reference that no decoder will ever see.
      this.#keyFrameWanted = true;
      throw error;
    }
  }
}
