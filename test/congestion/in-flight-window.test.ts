import { describe, expect, it } from 'vitest';
import { InFlightWindow } from '../../src/congestion/in-flight-window.js';

describe('InFlightWindow', () => {
  it('holds what is sent in a loop and 60 ms, and half as much again', () => {
    // 1 Mbit/s for 160 ms are 20,000 bytes.
    expect(new InFlightWindow().sizeBytes(1_000_000, 100_000)).toBeCloseTo(30_000, 6);
  });

  it('holds two packets at the least', () => {
    expect(new InFlightWindow().sizeBytes(0, 100_000)).toBe(2_400);
  });

  it('takes a tenth from the encoders while it is much too full, and a twentieth while it is too full', () => {
    const window = new InFlightWindow();
    expect(window.share(1_501, 1_000)).toBeCloseTo(0.9, 9);
    expect(window.share(1_500, 1_000)).toBeCloseTo(0.855, 9);
  });

  it('gives back a twentieth each time, and all of it once nearly empty', () => {
    const window = new InFlightWindow();
    for (let index = 0; index < 3; index += 1) window.share(2_000, 1_000);
    expect(window.share(1_000, 1_000)).toBeCloseTo(0.729 * 1.05, 9);
    expect(window.share(99, 1_000)).toBe(1);
    expect(window.share(500, 1_000)).toBe(1);
  });

  it('leaves a tenth, whatever is in flight', () => {
    const window = new InFlightWindow();
    for (let index = 0; index < 100; index += 1) window.share(1e9, 1_000);
    expect(window.share(1e9, 1_000)).toBe(0.1);
  });

  it('gives all back on another route', () => {
    const window = new InFlightWindow();
    window.share(2_000, 1_000);
    window.reset();
    expect(window.share(500, 1_000)).toBe(1);
  });
});
