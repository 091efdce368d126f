import { describe, expect, it } from 'vitest';
import { ConstantBitrateControl } from '../../src/encoder/constant-bitrate-control.js';

describe('ConstantBitrateControl', () => {
  it('tells the target and 300 ms of buffer at the announced frame rate', () => {
    const control = new ConstantBitrateControl(800_000, 25);
    expect(control.plan({ timestamp: 0 })).toEqual({ peakBps: 800_000, bufferBits: 240_000 });
    control.setTarget(600_000);
    expect(control.plan({ timestamp: 40_000 })).toEqual({ peakBps: 600_000, bufferBits: 180_000 });
  });

  it('tells twice the target to an encoder that counts on twice the frame rate', () => {
    const control = new ConstantBitrateControl(500_000, 30);
    let peakBps = 0;
    for (let index = 0; index < 60; index += 1) peakBps = control.plan({ timestamp: index * 66_667 }).peakBps ?? 0;
    expect(peakBps / 1_000_000).toBeCloseTo(1, 1);
  });

  it('never tells a buffer of less than a kilobit, which x264 would take for no limit', () => {
    expect(new ConstantBitrateControl(1000, 240).plan({ timestamp: 0 }).bufferBits).toBeGreaterThanOrEqual(1000);
  });

  it('tells by the quantizers of the encoder for how long the target has been too low, or room for larger pictures', () => {
    const control = new ConstantBitrateControl(500_000, 30);
    const run = (from: number, quantizer: number): void => {
      for (let index = from; index < from + 60; index += 1) {
        control.plan({ timestamp: index * 33_333 });
        control.encoded(2000, 'delta', quantizer);
      }
    };
    run(0, 51);
    expect(control.limitation).toMatchObject({ quantizer: 51, headroomUs: 0 });
    expect(control.limitation.starvedUs / 2_000_000).toBeCloseTo(1, 1);
    run(60, 20);
    expect(control.limitation.starvedUs).toBe(0);
    expect(control.limitation.headroomUs).toBeGreaterThan(500_000);
  });

  it('leaves the encoder alone while capture times jitter by a tenth', () => {
    const control = new ConstantBitrateControl(500_000, 30);
    const rates = new Set<number | undefined>();
    for (let index = 0; index < 100; index += 1) {
      rates.add(control.plan({ timestamp: index * 33_333 + (index % 2 === 0 ? 0 : 3000) }).peakBps);
    }
    expect([...rates]).toEqual([500_000]);
  });
});
