import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BarCode, barCodeHeight, drawBarCode, readBarCode, readBarCodeRgba } from '../../src/source/bar-code.js';
import { halve } from './halve.js';

const SIZES = [
  [320, 240],
  [640, 360],
  [640, 480],
  [854, 480],
  [1280, 720],
  [1920, 1080],
] as const;

const size = fc.constantFrom(...SIZES);
const code = fc.record({
  cameraId: fc.integer({ min: 0, max: 255 }),
  frameNumber: fc.integer({ min: 0, max: 0xffff_ffff }),
  captureTimeUs: fc.maxSafeNat(),
});

function picture(width: number, height: number, payload: BarCode): Uint8Array {
  const data = new Uint8Array((width * height * 3) / 2).fill(90);
  drawBarCode({ data, width, height }, payload);
  return data;
}

/** Noise of up to `amplitude` steps, the same for the same seed. */
function addNoise(data: Uint8Array, amplitude: number, seed: number): void {
  let state = seed | 1;
  for (let index = 0; index < data.length; index += 1) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    const offset = ((state >>> 16) % (2 * amplitude + 1)) - amplitude;
    data[index] = Math.min(255, Math.max(0, (data[index] ?? 0) + offset));
  }
}

/** The nearest pixel of a picture of another size. */
function resample(luma: Uint8Array, width: number, height: number, toWidth: number, toHeight: number): Uint8Array {
  return Uint8Array.from({ length: toWidth * toHeight }, (_, index) => {
    const x = Math.floor((((index % toWidth) + 0.5) * width) / toWidth);
    const y = Math.floor(((Math.floor(index / toWidth) + 0.5) * height) / toHeight);
    return luma[y * width + x] ?? 0;
  });
}

describe('bar code', () => {
  it('reads back what was drawn, at every picture size', () => {
    fc.assert(
      fc.property(size, code, ([width, height], payload) => {
        expect(readBarCode(picture(width, height, payload), width, height)).toEqual(payload);
      }),
      { numRuns: 60 },
    );
  });

  it('survives noise of 20 steps', () => {
    fc.assert(
      fc.property(size, code, fc.nat(), ([width, height], payload, seed) => {
        const data = picture(width, height, payload);
        addNoise(data, 20, seed);
        expect(readBarCode(data, width, height)).toEqual(payload);
      }),
      { numRuns: 30 },
    );
  });

  it('survives scaling to half the size, with noise', () => {
    fc.assert(
      fc.property(size, code, fc.nat(), ([width, height], payload, seed) => {
        const half = halve(picture(width, height, payload), width, height);
        addNoise(half, 20, seed);
        expect(readBarCode(half, width >> 1, height >> 1)).toEqual(payload);
      }),
      { numRuns: 30 },
    );
  });

  it('survives scaling to sizes that are no whole fraction', () => {
    const payload = { cameraId: 3, frameNumber: 123_456, captureTimeUs: 1_700_000_000_123_456 };
    const data = picture(1280, 720, payload);
    for (const [width, height] of [
      [427, 240],
      [500, 281],
      [853, 479],
      [1367, 769],
    ] as const) {
      expect(readBarCode(resample(data, 1280, 720, width, height), width, height)).toEqual(payload);
    }
  });

  it('follows the documented layout: fields from the top left, most significant bit first, then the check sum', () => {
    const [width, height] = [640, 480];
    const data = picture(width, height, { cameraId: 0x31, frameNumber: 0x3233_3435, captureTimeUs: 0x3637_3839 });
    let bits = '';
    for (let row = 0; row < 4; row += 1) {
      const y = 416 + row * 16 + 8;
      expect([data[y * width + 10], data[y * width + 630]]).toEqual([16, 235]);
      for (let column = 1; column < 31; column += 1) bits += data[y * width + column * 20 + 10] === 235 ? '1' : '0';
    }
    expect(BigInt(`0b${bits}`).toString(16)).toBe('313233343500000000363738396d77');
  });

  it('turns the colour under it off and leaves the rest of the picture alone', () => {
    const [width, height] = [640, 480];
    const data = picture(width, height, { cameraId: 1, frameNumber: 2, captureTimeUs: 3 });
    const top = height - barCodeHeight(height);
    expect(data.subarray(0, top * width).every((value) => value === 90)).toBe(true);
    for (const start of [width * height, (width * height * 5) / 4]) {
      const plane = data.subarray(start, start + (width * height) / 4);
      expect(plane.subarray(0, (top * width) / 4).every((value) => value === 90)).toBe(true);
      expect(plane.subarray((top * width) / 4).every((value) => value === 128)).toBe(true);
    }
  });

  it('draws and reads planes whose rows are padded', () => {
    const [width, height, stride] = [640, 360, 704];
    const data = new Uint8Array((stride * height * 3) / 2);
    const payload = { cameraId: 9, frameNumber: 8, captureTimeUs: 7 };
    drawBarCode({ data, width, height, stride }, payload);
    expect(readBarCode(data, width, height, stride)).toEqual(payload);
    expect(data.subarray(359 * stride + width, 360 * stride).every((value) => value === 0)).toBe(true);
  });

  it('reads RGBA pixels of a canvas', () => {
    const [width, height] = [640, 360];
    const payload = { cameraId: 200, frameNumber: 77, captureTimeUs: 1_700_000_000_000_001 };
    const luma = picture(width, height, payload).subarray(0, width * height);
    const rgba = new Uint8ClampedArray(width * height * 4);
    for (const [index, value] of luma.entries()) rgba.fill(((value - 16) * 255) / 219, index * 4, index * 4 + 3);
    expect(readBarCodeRgba(rgba, width, height)).toEqual(payload);
  });

  it('is not fooled by a flipped cell, a flat picture, noise or a picture that is too short', () => {
    const [width, height] = [640, 480];
    const data = picture(width, height, { cameraId: 1, frameNumber: 2, captureTimeUs: 3 });
    for (let y = 416; y < 432; y += 1) data.fill(235, y * width + 100, y * width + 120);
    expect(readBarCode(data, width, height)).toBeUndefined();
    expect(readBarCode(new Uint8Array(width * height).fill(235), width, height)).toBeUndefined();
    expect(readBarCode(new Uint8Array(width * height).fill(16), width, height)).toBeUndefined();
    expect(readBarCode(new Uint8Array(100), width, height)).toBeUndefined();
    const noise = new Uint8Array(width * height).fill(128);
    addNoise(noise, 127, 42);
    expect(readBarCode(noise, width, height)).toBeUndefined();
  });

  it.each([
    { cameraId: 256, frameNumber: 0, captureTimeUs: 0 },
    { cameraId: 0, frameNumber: -1, captureTimeUs: 0 },
    { cameraId: 0, frameNumber: 0, captureTimeUs: 0.5 },
    { cameraId: 0, frameNumber: Number.NaN, captureTimeUs: 0 },
  ])('refuses fields out of range: %o', (payload) => {
    expect(() => picture(640, 480, payload)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('refuses pictures that are too small, odd or short of bytes', () => {
    const payload = { cameraId: 0, frameNumber: 0, captureTimeUs: 0 };
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => picture(158, 120, payload)).toThrow(refused);
    expect(() => drawBarCode({ data: new Uint8Array(1e6), width: 641, height: 480 }, payload)).toThrow(refused);
    expect(() => drawBarCode({ data: new Uint8Array(640 * 480), width: 640, height: 480 }, payload)).toThrow(refused);
  });
});
