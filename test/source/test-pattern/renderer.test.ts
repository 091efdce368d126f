import { describe, expect, it } from 'vitest';
import { barCodeHeight, readBarCode } from '../../../src/source/bar-code.js';
import { TestPatternRenderer } from '../../../src/source/test-pattern/renderer.js';

const WIDTH = 320;
const HEIGHT = 240;
const TIME_US = 1_700_000_000_123_456;

function create(cameraId: number, label = 'front'): TestPatternRenderer {
  return TestPatternRenderer.create({ width: WIDTH, height: HEIGHT, framerate: 30, label, cameraId });
}

function draw(renderer: TestPatternRenderer, number: number, timeUs = TIME_US): Uint8Array {
  const picture = new Uint8Array(renderer.sizeBytes);
  renderer.render(picture, number, timeUs);
  return picture;
}

/** The luma above the bar code. */
function scene(picture: Uint8Array): Uint8Array {
  return picture.subarray(0, (HEIGHT - barCodeHeight(HEIGHT)) * WIDTH);
}

/** Share of bytes that differ. */
function difference(one: Uint8Array, other: Uint8Array): number {
  return one.reduce((count, value, index) => count + (value === other[index] ? 0 : 1), 0) / one.length;
}

function mean(plane: Uint8Array): number {
  return plane.reduce((sum, value) => sum + value, 0) / plane.length;
}

describe('test pattern renderer', () => {
  it('draws the same bytes for the same look, number and time', () => {
    expect(difference(draw(create(3), 17), draw(create(3), 17))).toBe(0);
  });

  it('leaves nothing of what was in the buffer', () => {
    const renderer = create(1);
    const dirty = new Uint8Array(renderer.sizeBytes).fill(0xaa);
    renderer.render(dirty, 5, TIME_US);
    expect(difference(dirty, draw(renderer, 5))).toBe(0);
  });

  it('draws a textured scene that moves from every frame to the next, over many rounds', () => {
    const renderer = create(0);
    let previous = draw(renderer, 0);
    for (const number of [1, 2, 3, 4_000, 4_001, 0xffff_fffe, 0xffff_ffff]) {
      const picture = draw(renderer, number);
      expect(difference(scene(picture), scene(previous))).toBeGreaterThan(0.3);
      expect(new Set(scene(picture)).size).toBeGreaterThan(100);
      previous = picture;
    }
  });

  it('moves the far end of the scene by whole pixels, so that a frame is a shifted copy of the one before', () => {
    const renderer = create(0);
    const [before, after] = [draw(renderer, 100), draw(renderer, 101)];
    // A row of the sky to the right of the plate with the label.
    const row = (picture: Uint8Array, from: number): Uint8Array => picture.subarray(WIDTH + from, WIDTH + from + 100);
    expect(difference(row(before, 202), row(after, 200))).toBe(0);
  });

  it('gives each camera a hue of its own', () => {
    const chroma = Array.from({ length: 6 }, (_, cameraId) => {
      const picture = draw(create(cameraId), 0);
      const rows = WIDTH * HEIGHT;
      // The sky: the upper quarter of the chroma planes.
      return {
        u: mean(picture.subarray(rows, rows + rows / 16)),
        v: mean(picture.subarray(rows * 1.25, rows * 1.3125)),
      };
    });
    for (const [index, one] of chroma.entries()) {
      for (const other of chroma.slice(index + 1)) {
        expect(Math.hypot(one.u - other.u, one.v - other.v)).toBeGreaterThan(8);
      }
    }
  });

  it('shows label and clock, and tells number, time and camera in the bar code', () => {
    const renderer = create(7);
    expect(readBarCode(draw(renderer, 12), WIDTH, HEIGHT)).toEqual({
      cameraId: 7,
      frameNumber: 12,
      captureTimeUs: TIME_US,
    });
    expect(difference(scene(draw(renderer, 12)), scene(draw(create(7, 'rear'), 12)))).toBeGreaterThan(0);
    expect(difference(scene(draw(renderer, 12)), scene(draw(renderer, 12, TIME_US + 1_000)))).toBeGreaterThan(0);
  });

  it.each([
    [160, 120],
    [162, 1024],
    [2048, 130],
    [1366, 768],
  ])('draws odd shapes with any label: %ix%i', (width, height) => {
    const label = 'a label that is far too long for the picture: ÄÖ€ {}'.repeat(9);
    const renderer = TestPatternRenderer.create({ width, height, framerate: 10, label, cameraId: 255 });
    const picture = draw(renderer, 0xffff_ffff);
    expect(readBarCode(picture, width, height)?.frameNumber).toBe(0xffff_ffff);
  });
});
