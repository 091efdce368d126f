import { pictureBytes, planeShapes } from './validate-frame.js';
import type { RawVideoFrame } from './video-frame.js';

/**
 * Gives every picture as one tightly packed run of bytes, which is what the native side can point at. A picture that is tight already
 * is passed through without a copy; any other is copied row by row into one scratch picture, which the next call overwrites.
 *
 * Owned by one encoder, whose reads are single-flight. Frames must have passed `validateFrame`.
 */
export class PicturePacker {
  #scratch: Uint8Array | undefined;

  pack(frame: RawVideoFrame): Uint8Array {
    const { format, codedWidth, codedHeight, data, layout } = frame;
    const sizeBytes = pictureBytes(codedWidth, codedHeight);
    if (layout === undefined) return data.subarray(0, sizeBytes);

    const shapes = planeShapes(format, codedWidth, codedHeight);
    const start = layout[0]?.offset ?? 0;
    let end = start;
    const tight = shapes.every(({ rowBytes, rows }, index) => {
      const plane = layout[index];
      const follows = plane?.offset === end && plane.stride === rowBytes;
      end += rowBytes * rows;
      return follows;
    });
    if (tight) return data.subarray(start, end);

    this.#scratch ??= new Uint8Array(sizeBytes);
    let position = 0;
    for (const [index, { rowBytes, rows }] of shapes.entries()) {
      const { offset, stride } = layout[index] ?? { offset: 0, stride: rowBytes };
      for (let row = 0; row < rows; row += 1) {
        const from = offset + row * stride;
        this.#scratch.set(data.subarray(from, from + rowBytes), position);
        position += rowBytes;
      }
    }
    return this.#scratch;
  }
}
