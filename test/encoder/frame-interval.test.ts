import { describe, expect, it } from 'vitest';
import { FrameIntervalMeter } from '../../src/encoder/frame-interval.js';

describe('FrameIntervalMeter', () => {
  it('assumes the announced frame rate until frames tell better', () => {
    const meter = new FrameIntervalMeter(25);
    expect(meter.smoothedUs).toBe(40_000);
    expect(meter.observe(123_456)).toBe(40_000);
  });

  it('comes within a tenth of a new frame rate in 20 frames', () => {
    const meter = new FrameIntervalMeter(30);
    for (let index = 0; index <= 20; index += 1) meter.observe(index * 100_000);
    expect(meter.smoothedUs).toBeGreaterThan(90_000);
  });

  it('does not take a pause for a frame rate', () => {
    const meter = new FrameIntervalMeter(30);
    meter.observe(0);
    expect(meter.observe(60_000_000)).toBe(1_000_000);
    expect(meter.smoothedUs).toBeCloseTo(33_333, 0);
  });

  it('gives the average for a frame that is out of order or repeats a time', () => {
    const meter = new FrameIntervalMeter(20);
    meter.observe(1_000_000);
    expect(meter.observe(1_000_000)).toBe(50_000);
    expect(meter.observe(900_000)).toBe(50_000);
    expect(meter.smoothedUs).toBe(50_000);
  });
});
