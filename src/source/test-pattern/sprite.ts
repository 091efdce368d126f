import type { Colour } from './palette.js';
import { type Picture, planeU, planeV } from './picture.js';

/**
 * A picture element that is painted once and then copied into every frame, row by row. Each of its rows is one
 * uninterrupted span, so that a row costs one copy.
 */
export class Sprite {
  readonly width: number;
  readonly height: number;
  readonly #luma: Uint8ClampedArray;
  readonly #u: Uint8ClampedArray;
  readonly #v: Uint8ClampedArray;
  /** First and one past last painted pixel of each row. */
  readonly #spans: Int32Array;

  /**
   * @param width even
   * @param height even
   * @param shade the colour of a pixel, or nothing where the sprite is transparent; gaps between painted pixels of a row
   *   take the colour to their left
   */
  constructor(width: number, height: number, shade: (x: number, y: number) => Colour | undefined) {
    this.width = width;
    this.height = height;
    this.#luma = new Uint8ClampedArray(width * height);
    this.#u = new Uint8ClampedArray((width * height) / 4);
    this.#v = new Uint8ClampedArray((width * height) / 4);
    this.#spans = new Int32Array(height * 2);
    for (let y = 0; y < height; y += 1) this.#paintRow(y, shade);
  }

  /** Copies the sprite into the picture at an even position; what lies beyond the left and right edges is cut off. */
  draw(picture: Picture, left: number, top: number): void {
    if (left >= picture.width || left + this.width <= 0) return;
    this.#drawPlane(picture.data, 0, picture.width, this.#luma, left, top, 1);
    this.#drawPlane(picture.data, planeU(picture), picture.width, this.#u, left, top, 2);
    this.#drawPlane(picture.data, planeV(picture), picture.width, this.#v, left, top, 2);
  }

  #drawPlane(
    target: Uint8Array,
    start: number,
    pictureWidth: number,
    pixels: Uint8ClampedArray,
    left: number,
    top: number,
    scale: 1 | 2,
  ): void {
    const width = this.width / scale;
    const stride = pictureWidth / scale;
    const x = left / scale;
    for (let row = 0; row < this.height / scale; row += 1) {
      const from = Math.max(Math.floor((this.#spans[row * scale * 2] ?? 0) / scale), -x);
      const to = Math.min(Math.ceil((this.#spans[row * scale * 2 + 1] ?? 0) / scale), stride - x);
      if (from >= to) continue;
      const offset = start + (top / scale + row) * stride + x;
      target.set(pixels.subarray(row * width + from, row * width + to), offset + from);
    }
  }

  #paintRow(y: number, shade: (x: number, y: number) => Colour | undefined): void {
    let from = -1;
    let to = 0;
    let last: Colour | undefined;
    for (let x = 0; x < this.width; x += 1) {
      const colour = shade(x, y);
      if (colour !== undefined) {
        if (from < 0) from = x;
        to = x + 1;
        last = colour;
      }
      if (last !== undefined) this.#setPixel(x, y, last);
    }
    this.#spans[y * 2] = Math.max(0, from);
    this.#spans[y * 2 + 1] = to;
  }

  #setPixel(x: number, y: number, colour: Colour): void {
    this.#luma[y * this.width + x] = colour.y;
    if (y % 2 === 1) return;
    // The left pixel of a pair decides, unless the span starts at the right one.
    if (x % 2 === 1 && (this.#u[this.#chromaIndex(x, y)] ?? 0) !== 0) return;
    this.#u[this.#chromaIndex(x, y)] = colour.u;
    this.#v[this.#chromaIndex(x, y)] = colour.v;
  }

  #chromaIndex(x: number, y: number): number {
    return (y / 2) * (this.width / 2) + (x >> 1);
  }
}
