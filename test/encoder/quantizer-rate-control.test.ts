import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_QUANTIZER, MIN_QUANTIZER, QuantizerRateControl } from '../../src/encoder/quantizer-rate-control.js';

const FRAME_US = 33_333;
const PIXELS = 640 * 480;

/** An encoder as measured: sizes halve every 11 quantizer steps, a key frame is seven delta frames. */
function modelBytes(quantizer: number, keyFrame: boolean, deltaBytesAtZero: number): number {
  return Math.max(20, deltaBytesAtZero * 2 ** (-quantizer / 11) * (keyFrame ? 7 : 1));
}

interface Run {
  readonly sizes: number[];
  readonly quantizers: number[];
  readonly skipped: number;
}

class ModelRun {
  readonly control: QuantizerRateControl;
  #timeUs = 0;

  constructor(targetBps: number, framerate = 30) {
    this.control = new QuantizerRateControl({ targetBps, framerate, pixels: PIXELS });
  }

  /** Runs `frames` frames; the size of each is `deltaBytesAtZero` scaled by the model. */
  run(frames: number, deltaBytesAtZero = 20_000, options: { keyFrameAt?: number; frameUs?: number } = {}): Run {
    const run = { sizes: [] as number[], quantizers: [] as number[], skipped: 0 };
    for (let index = 0; index < frames; index += 1) {
      const keyFrame = index === options.keyFrameAt || this.#timeUs === 0;
      this.#timeUs += options.frameUs ?? FRAME_US;
      const settings = this.control.plan(this.#timeUs, keyFrame);
      if (settings?.maxQuantizer === undefined) {
        run.sizes.push(0);
        run.skipped += 1;
        continue;
      }
      const sizeBytes = modelBytes(settings.maxQuantizer, keyFrame, deltaBytesAtZero);
      this.control.encoded(sizeBytes, keyFrame ? 'key' : 'delta');
      run.sizes.push(sizeBytes);
      run.quantizers.push(settings.maxQuantizer);
    }
    return run;
  }
}

function rateBps(sizes: readonly number[], frameUs = FRAME_US): number {
  return (sizes.reduce((sum, size) => sum + size, 0) * 8_000_000) / (sizes.length * frameUs);
}

describe('QuantizerRateControl', () => {
  it.each([300_000, 500_000, 1_500_000, 2_500_000])(
    'meets %s bit/s within a twentieth from the second second on',
    (targetBps) => {
      const model = new ModelRun(targetBps);
      model.run(30);
      const { sizes, skipped } = model.run(60);
      expect(Math.abs(rateBps(sizes) / targetBps - 1)).toBeLessThan(0.05);
      expect(skipped).toBe(0);
    },
  );

  it('pays the debt of a key frame back: the target holds over the seconds around it', () => {
    const model = new ModelRun(500_000);
    model.run(60);
    const { sizes } = model.run(60, 20_000, { keyFrameAt: 5 });
    expect(Math.abs(rateBps(sizes) / 500_000 - 1)).toBeLessThan(0.03);
  });

  it('follows a fall from 2.5 Mbit/s to 300 kbit/s within one second, and a rise as fast', () => {
    const model = new ModelRun(2_500_000);
    model.run(60);
    model.control.setTarget(300_000);
    expect(rateBps(model.run(30).sizes)).toBeLessThan(300_000 * 1.5);
    expect(rateBps(model.run(30).sizes) / 300_000).toBeCloseTo(1, 1);
    model.control.setTarget(2_500_000);
    model.run(30);
    expect(rateBps(model.run(30).sizes) / 2_500_000).toBeCloseTo(1, 1);
  });

  it('spends the target at the frame rate that the camera delivers, not at the one it announced', () => {
    const model = new ModelRun(500_000, 30);
    model.run(30, 20_000, { frameUs: 100_000 });
    const { sizes } = model.run(30, 20_000, { frameUs: 100_000 });
    expect(rateBps(sizes, 100_000) / 500_000).toBeCloseTo(1, 1);
  });

  it('keeps a forced key frame within eight frames of the target, even out of a refined still picture', () => {
    const model = new ModelRun(300_000);
    model.run(60);
    model.run(90, 500);
    const { sizes } = model.run(60, 20_000, { keyFrameAt: 0 });
    expect(Math.max(...sizes)).toBeLessThan((8 * 300_000) / 30 / 8);
  });

  it('refines a still picture no further than a change of scene can afford', () => {
    const model = new ModelRun(300_000);
    model.run(30);
    const { quantizers } = model.run(120, 200);
    expect(quantizers.at(-1)).toBeGreaterThan(MIN_QUANTIZER);
    // The next scene arrives as one delta frame as large as a key frame: less than a second at the target.
    expect(modelBytes(quantizers.at(-1) ?? 0, true, 20_000)).toBeLessThan(300_000 / 8);
  });

  it('skips frames when the largest quantizer is not enough, holds the target, and stops skipping when it is', () => {
    const model = new ModelRun(300_000);
    const overload = 4 * modelBytes(0, false, (300_000 / 8 / 30) * 2 ** (MAX_QUANTIZER / 11));
    model.run(60, overload);
    const pinned = model.run(120, overload);
    expect(pinned.quantizers.every((quantizer) => quantizer === MAX_QUANTIZER)).toBe(true);
    expect(pinned.skipped).toBeGreaterThan(80);
    expect(rateBps(pinned.sizes) / 300_000).toBeCloseTo(1, 1);
    model.run(30, 20_000);
    expect(model.run(120, 20_000).skipped).toBe(0);
  });

  it('skips nothing while a coarser picture can still pay the debt', () => {
    const control = new QuantizerRateControl({ targetBps: 1_500_000, framerate: 30, pixels: PIXELS });
    const fairBytes = 1_500_000 / 30 / 8;
    control.plan(0, true);
    control.encoded(fairBytes, 'key');
    control.plan(FRAME_US, false);
    control.encoded(14 * fairBytes, 'delta');
    expect(control.plan(2 * FRAME_US, false)).toBeDefined();
  });

  it('never skips a key frame', () => {
    const model = new ModelRun(50_000);
    model.run(60, 1_000_000);
    expect(model.control.plan(10_000_000, false)?.maxQuantizer ?? MAX_QUANTIZER).toBe(MAX_QUANTIZER);
    expect(model.control.plan(10_000_001, true)).toBeDefined();
    expect(model.control.plan(10_000_002, true)).toBeDefined();
  });

  it('skips nothing at a rate that the largest quantizer can hold, key frame or not', () => {
    // 385-byte delta frames and a 2807-byte key frame at quantizer 63: handheld 640x480 footage, 92 kbit/s.
    const model = new ModelRun(100_000);
    const atZero = 385 * 2 ** (MAX_QUANTIZER / 11);
    expect(model.run(150, atZero, { keyFrameAt: 75 }).skipped).toBe(0);
  });

  it('stays within the quantizer range and plans every key frame, whatever the sizes and times', () => {
    const step = fc.record({
      elapsedUs: fc.oneof(fc.integer({ min: -50_000, max: 200_000 }), fc.integer({ min: 0, max: 60_000_000 })),
      keyFrame: fc.boolean(),
      sizeBytes: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 5_000_000 })),
      targetBps: fc.option(fc.integer({ min: 1000, max: 200_000_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.double({ min: 0.1, max: 240, noNaN: true }),
        (steps, framerate) => {
          const control = new QuantizerRateControl({ targetBps: 500_000, framerate, pixels: PIXELS });
          let timeUs = 0;
          for (const { elapsedUs, keyFrame, sizeBytes, targetBps } of steps) {
            timeUs = Math.max(0, timeUs + elapsedUs);
            if (targetBps !== undefined) control.setTarget(targetBps);
            const settings = control.plan(timeUs, keyFrame);
            if (settings === undefined) {
              expect(keyFrame).toBe(false);
              continue;
            }
            expect(settings.maxQuantizer).toSatisfy(
              (quantizer: number) =>
                Number.isInteger(quantizer) && quantizer >= MIN_QUANTIZER && quantizer <= MAX_QUANTIZER,
            );
            control.encoded(sizeBytes, keyFrame ? 'key' : 'delta');
          }
        },
      ),
    );
  });
});
