import { describe, expect, it } from 'vitest';
import { copyCropped } from '../../../src/source/file/plane-copy.js';

describe('plane copy', () => {
  it('packs padded rows and crops to the size asked for', () => {
    const plane = (base: number, stride: number, rows: number): Uint8Array =>
      Uint8Array.from(
        { length: stride * rows },
        (_, index) => base + Math.floor(index / stride) * 10 + (index % stride),
      );
    const target = new Uint8Array(12);
    // A 5x3 picture with rows of 8 and 4 bytes, cropped to 4x2.
    const planes = [plane(0, 8, 3), plane(100, 4, 2), plane(200, 4, 2)];
    copyCropped({ planes, strides: [8, 4, 4] }, 4, 2, target);
    expect([...target]).toEqual([0, 1, 2, 3, 10, 11, 12, 13, 100, 101, 200, 201]);
  });

  it('copies planes without padding whole', () => {
    const target = new Uint8Array(6);
    const planes = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5), Uint8Array.of(6)];
    copyCropped({ planes, strides: [2, 1, 1] }, 2, 2, target);
    expect([...target]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
