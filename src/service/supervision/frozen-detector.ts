import { crc32 } from 'node:zlib';
import type { RawVideoFrame } from '../../encoder/video-frame.js';

/** A change that is at least as many rows high is never missed. */
const ROW_STEP = 16;

/**
 * Tells whether a picture is the same as the one before, by a CRC-32 over every 16th row of its luma: a twentieth of a millisecond for 720p. The noise of a
 * sensor changes nearly every sample, so pictures of a camera that lives are never the same for long.
 *
 * Owner: the watch over one source.
 */
export class FrozenDetector {
  #last: number | undefined;

  /** Whether this picture is as the one before; the first is not. */
  isSame({ data, codedWidth, codedHeight, layout }: RawVideoFrame): boolean {
    const { offset = 0, stride = codedWidth } = layout?.[0] ?? {};
    let sum = 0;
    for (let row = 0; row < codedHeight; row += ROW_STEP) {
      const start = offset + row * stride;
      sum = crc32(data.subarray(start, start + codedWidth), sum);
    }
    const isSame = sum === this.#last;
    this.#last = sum;
    return isSame;
  }
}
