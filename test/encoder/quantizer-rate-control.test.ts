import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_QUANTIZER, MIN_QUANTIZER, QuantizerRateControl } from '../../src/encoder/quantizer-rate-control.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';

const FRAME_US = 33_333;
const PIXELS = 640 * 480;

/** An encoder as measured: sizes halve every so many quantizer steps, a key frame is seven delta frames. */
interface Plant {
  readonly deltaBytesAtZero: number;
  readonly stepsPerOctave: number;
}

const CAMERA: Plant = { deltaBytesAtZero: 20_000, stepsPerOctave: 11 };

function plantBytes(plant: Plant, quantizer: number, intra: boolean): number {
  return Math.max(20, plant.deltaBytesAtZero * 2 ** (-quantizer / plant.stepsPerOctave) * (intra ? 7 : 1));
}

interface Run {
  readonly sizes: number[];
  readonly quantizers: number[];
  skipped: number;
}

interface RunOptions {
  readonly keyFrameAt?: number;
  /** Where another scene begins: its first frame is as large as a key frame. */
  readonly cutAt?: number;
  /** Whether the other scene has another brightness. @default true */
  readonly cutIsSeen?: boolean;
  /** Whether the encoder sees the other scene by itself, and says what it used. @default false */
  readonly encoderSeesCut?: boolean;
  readonly frameUs?: number;
  /** What the size of a frame is off the plant's, by its number. */
  readonly noiseAt?: (index: number) => number;
}

class PlantRun {
  readonly control: QuantizerRateControl;
  #timeUs = 0;
  #brightness = 100;

  constructor(targetBps: number, framerate = 30, options: { readonly intraBudgetFrames?: number } = {}) {
    this.control = new QuantizerRateControl({ targetBps, framerate, pixels: PIXELS, ...options });
  }

  run(frames: number, plant = CAMERA, options: RunOptions = {}): Run {
    const run: Run = { sizes: [], quantizers: [], skipped: 0 };
    for (let index = 0; index < frames; index += 1) {
      const keyFrame = index === options.keyFrameAt || this.#timeUs === 0;
      const isCut = index === options.cutAt;
      if (isCut && options.cutIsSeen !== false) this.#brightness = 250 - this.#brightness;
      this.#timeUs += options.frameUs ?? FRAME_US;
      const settings = this.control.plan(greyFrame(this.#timeUs, this.#brightness), keyFrame);
      if (settings?.maxQuantizer === undefined) {
        run.sizes.push(0);
        run.skipped += 1;
        continue;
      }
      const noise = options.noiseAt?.(index) ?? 1;
      const { maxQuantizer, otherSceneQuantizer = maxQuantizer } = settings;
      const sees = options.encoderSeesCut === true;
      const quantizer = sees && isCut ? otherSceneQuantizer : maxQuantizer;
      const sizeBytes = noise * plantBytes(plant, quantizer, keyFrame || isCut);
      this.control.encoded(sizeBytes, keyFrame ? 'key' : 'delta', ...(sees ? [quantizer] : []));
      run.sizes.push(sizeBytes);
      run.quantizers.push(quantizer);
    }
    return run;
  }
}

function greyFrame(timestamp: number, brightness: number): RawVideoFrame {
  const data = new Uint8Array(64 * 96).fill(brightness);
  return { format: 'I420', codedWidth: 64, codedHeight: 64, data, timestamp };
}

function rateBps(sizes: readonly number[], frameUs = FRAME_US): number {
  return (sizes.reduce((sum, size) => sum + size, 0) * 8_000_000) / (sizes.length * frameUs);
}

/** The largest deviation from the target over all windows of two seconds. */
function worstError(sizes: readonly number[], targetBps: number): number {
  const errors = sizes
    .slice(0, sizes.length - 59)
    .map((_, start) => Math.abs(rateBps(sizes.slice(start, start + 60)) / targetBps - 1));
  return Math.max(...errors);
}

function fairBytes(targetBps: number): number {
  return (targetBps * FRAME_US) / 8_000_000;
}

describe('quantizer rate control of an encoder that sees cuts by itself', () => {
  const fairBytes = 700_000 / 8 / 30;

  it('offers it a quantizer that keeps another scene within the budget of a key frame, and recovers from it', () => {
    const control = new PlantRun(700_000);
    control.run(120, CAMERA, { encoderSeesCut: true });
    const { sizes } = control.run(60, CAMERA, { cutAt: 20, cutIsSeen: false, encoderSeesCut: true });
    expect(sizes[20]).toBeGreaterThan(2.5 * fairBytes);
    expect(sizes[20]).toBeLessThan(4 * fairBytes);
    expect(Math.max(...sizes.slice(21))).toBeLessThan(2 * fairBytes);
  });

  it('goes on from the quantizer that was used, in steps, not from the one that it planned', () => {
    const control = new PlantRun(700_000);
    control.run(60);
    const { control: rate } = control;
    const at = (index: number) => greyFrame((60 + index) * FRAME_US, 100);
    expect(rate.plan(at(1), false)?.maxQuantizer).toBeLessThan(40);
    rate.encoded(fairBytes, 'delta', 55);
    expect(rate.plan(at(2), false)?.maxQuantizer).toBeGreaterThanOrEqual(52);
  });

  it('never offers less than the quantizer of the frame itself', () => {
    const control = new QuantizerRateControl({ targetBps: 20_000, framerate: 30, pixels: PIXELS });
    for (let index = 1; index < 40; index += 1) {
      const settings = control.plan(greyFrame(index * FRAME_US, 100), index === 1);
      if (settings === undefined) continue;
      expect(settings.otherSceneQuantizer).toBeGreaterThanOrEqual(settings.maxQuantizer ?? 0);
      expect(settings.otherSceneQuantizer).toBeLessThanOrEqual(MAX_QUANTIZER);
      control.encoded(plantBytes(CAMERA, settings.maxQuantizer ?? 0, index === 1), index === 1 ? 'key' : 'delta');
    }
  });

  it('gives key frames the budget that it is told', () => {
    const small = new PlantRun(700_000, 30, { intraBudgetFrames: 2 });
    small.run(120);
    const { sizes } = small.run(30, CAMERA, { keyFrameAt: 10 });
    expect((sizes[10] ?? 0) / fairBytes).toBeCloseTo(2, 0.5);
    expect((sizes[10] ?? 0) / fairBytes).toBeLessThan(2.4);
  });
});

describe('QuantizerRateControl', () => {
  it.each([150_000, 300_000, 1_500_000, 2_500_000])(
    'meets %s bit/s within a twentieth over any two seconds from the second second on',
    (targetBps) => {
      const plant = new PlantRun(targetBps);
      plant.run(30);
      const { sizes, skipped } = plant.run(120);
      expect(worstError(sizes, targetBps)).toBeLessThan(0.05);
      expect(skipped).toBe(0);
    },
  );

  it.each([
    [2_500_000, 300_000],
    [4_000_000, 150_000],
  ])('follows %s bit/s to %s and back, within a tenth over any two seconds that begin a second later', (high, low) => {
    const plant = new PlantRun(high);
    plant.run(90);
    for (const targetBps of [low, high]) {
      plant.control.setTarget(targetBps);
      expect(Math.max(...plant.run(30).sizes)).toBeLessThan(4 * fairBytes(targetBps));
      expect(worstError(plant.run(90).sizes, targetBps)).toBeLessThan(0.1);
    }
  });

  it('turns down before the first frame of a lower target, by what it has learnt, not after it', () => {
    const plant = new PlantRun(2_500_000);
    plant.run(90);
    plant.control.setTarget(500_000);
    expect(plant.run(1).sizes[0]).toBeLessThan(1.5 * fairBytes(500_000));
  });

  it('turns up in small steps when the target rises, since refining a coarse picture makes large frames', () => {
    const plant = new PlantRun(300_000);
    const { quantizers: coarse } = plant.run(90);
    plant.control.setTarget(2_500_000);
    const { quantizers } = plant.run(30);
    const steps = quantizers.map((quantizer, index) => quantizer - (quantizers[index - 1] ?? coarse.at(-1) ?? 0));
    expect(Math.min(...steps)).toBe(-3);
  });

  it('holds the target whatever the slope of the encoder and however its sizes scatter', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 4, max: 16, noNaN: true }),
        fc.double({ min: 200, max: 3000, noNaN: true }),
        fc.array(fc.double({ min: 0.75, max: 1.33, noNaN: true }), { minLength: 7, maxLength: 30 }),
        (stepsPerOctave, deltaBytesAt30, scatter) => {
          const plant = { stepsPerOctave, deltaBytesAtZero: deltaBytesAt30 * 2 ** (30 / stepsPerOctave) };
          const noiseAt = (index: number) => scatter[index % scatter.length] ?? 1;
          const run = new PlantRun(8 * 30 * deltaBytesAt30);
          run.run(60, plant, { noiseAt });
          expect(worstError(run.run(120, plant, { noiseAt }).sizes, 8 * 30 * deltaBytesAt30)).toBeLessThan(0.1);
        },
      ),
    );
  });

  it('keeps key frames within four frames of the target and pays them back: no two seconds around them stray by a tenth', () => {
    const plant = new PlantRun(500_000);
    plant.run(60);
    const { sizes } = plant.run(180, CAMERA, { keyFrameAt: 60 });
    expect(Math.max(...sizes)).toBeLessThan(4 * fairBytes(500_000));
    expect(worstError(sizes, 500_000)).toBeLessThan(0.1);
  });

  it('keeps a forced key frame within four frames of the target even out of a refined still picture', () => {
    const plant = new PlantRun(300_000);
    plant.run(60);
    plant.run(90, { ...CAMERA, deltaBytesAtZero: 500 });
    const { sizes } = plant.run(60, CAMERA, { keyFrameAt: 0 });
    expect(sizes[0]).toBeLessThan(4 * fairBytes(300_000));
  });

  it('keeps the first frame of another scene within four frames of the target, and comes back to its quantizer', () => {
    const plant = new PlantRun(500_000);
    const before = plant.run(90).quantizers.at(-1) ?? 0;
    const { sizes, quantizers } = plant.run(60, CAMERA, { cutAt: 10 });
    expect(sizes[10]).toBeGreaterThan(fairBytes(500_000));
    expect(Math.max(...sizes)).toBeLessThan(4 * fairBytes(500_000));
    expect(Math.abs((quantizers.at(-1) ?? 0) - before)).toBeLessThanOrEqual(2);
  });

  it('answers a scene that it did not see coming with the very next frame, and is not misled by it', () => {
    const plant = new PlantRun(500_000);
    const before = plant.run(90).quantizers.at(-1) ?? 0;
    const { sizes, quantizers } = plant.run(90, CAMERA, { cutAt: 10, cutIsSeen: false });
    expect(sizes[10]).toBeGreaterThan(5 * fairBytes(500_000));
    // A third of a fair frame is the least that it asks for, a fifth if it had taken the scene's first frame for motion.
    expect(sizes[11]).toBeGreaterThan(0.22 * fairBytes(500_000));
    expect(sizes[11]).toBeLessThan(0.5 * fairBytes(500_000));
    expect(Math.max(...sizes.slice(11))).toBeLessThan(1.5 * fairBytes(500_000));
    expect(Math.abs((quantizers.at(-1) ?? 0) - before)).toBeLessThanOrEqual(2);
  });

  it('is back at the target within half a second when a still scene begins to move', () => {
    const plant = new PlantRun(500_000);
    plant.run(60);
    plant.run(120, { ...CAMERA, deltaBytesAtZero: 1500 });
    const { sizes } = plant.run(75);
    expect(rateBps(sizes.slice(0, 30))).toBeLessThan(1.6 * 500_000);
    expect(worstError(sizes.slice(15), 500_000)).toBeLessThan(0.1);
  });

  it('refines a still picture no further than a scene that it does not see coming can afford', () => {
    const plant = new PlantRun(150_000);
    plant.run(30);
    const { quantizers } = plant.run(120, { ...CAMERA, deltaBytesAtZero: 200 });
    expect(quantizers.at(-1)).toBeGreaterThan(MIN_QUANTIZER);
    expect(plantBytes(CAMERA, quantizers.at(-1) ?? 0, true)).toBeLessThan(1.5 * 30 * fairBytes(150_000));
  });

  it('spends the target at the frame rate that the camera delivers, not at the one it announced', () => {
    const plant = new PlantRun(500_000, 30);
    plant.run(30, CAMERA, { frameUs: 100_000 });
    const { sizes } = plant.run(30, CAMERA, { frameUs: 100_000 });
    expect(rateBps(sizes, 100_000) / 500_000).toBeCloseTo(1, 1);
  });

  it('skips frames when the largest quantizer is not enough, holds the target, and stops skipping when it is', () => {
    const plant = new PlantRun(300_000);
    const overload = { ...CAMERA, deltaBytesAtZero: 4 * fairBytes(300_000) * 2 ** (MAX_QUANTIZER / 11) };
    plant.run(60, overload);
    const pinned = plant.run(120, overload);
    expect(pinned.quantizers.every((quantizer) => quantizer === MAX_QUANTIZER)).toBe(true);
    expect(pinned.skipped).toBeGreaterThan(80);
    expect(worstError(pinned.sizes, 300_000)).toBeLessThan(0.1);
    plant.run(30);
    expect(plant.run(120).skipped).toBe(0);
  });

  it('skips nothing while a coarser picture can still pay the debt', () => {
    const control = new QuantizerRateControl({ targetBps: 1_500_000, framerate: 30, pixels: PIXELS });
    control.plan(greyFrame(0, 100), true);
    control.encoded(fairBytes(1_500_000), 'key');
    control.plan(greyFrame(FRAME_US, 100), false);
    control.encoded(14 * fairBytes(1_500_000), 'delta');
    expect(control.plan(greyFrame(2 * FRAME_US, 100), false)).toBeDefined();
  });

  it('never skips a key frame', () => {
    const plant = new PlantRun(50_000);
    plant.run(60, { ...CAMERA, deltaBytesAtZero: 1_000_000 });
    expect(plant.control.plan(greyFrame(2_000_100, 100), false)).toBeUndefined();
    expect(plant.control.plan(greyFrame(2_000_200, 100), true)).toBeDefined();
    expect(plant.control.plan(greyFrame(2_000_300, 100), true)).toBeDefined();
  });

  it('tells for how long the largest quantizer has not been enough, until it is again', () => {
    const plant = new PlantRun(300_000);
    plant.run(60);
    expect(plant.control.limitation.starvedUs).toBe(0);
    plant.run(150, { ...CAMERA, deltaBytesAtZero: 400_000 });
    expect(plant.control.limitation.quantizer).toBeCloseTo(MAX_QUANTIZER, 0);
    expect(plant.control.limitation.starvedUs).toBeGreaterThan(2_000_000);
    plant.run(60);
    expect(plant.control.limitation).toMatchObject({ starvedUs: 0, headroomUs: 0 });
  });

  it('tells for how long there has been room for larger pictures', () => {
    const plant = new PlantRun(2_500_000);
    plant.run(150);
    expect(plant.control.limitation.headroomUs).toBeGreaterThan(2_000_000);
    expect(plant.control.limitation.starvedUs).toBe(0);
    plant.control.setTarget(300_000);
    plant.run(60);
    expect(plant.control.limitation.headroomUs).toBe(0);
  });

  it('stays within the quantizer range and plans every key frame, whatever the sizes and times', () => {
    const step = fc.record({
      elapsedUs: fc.oneof(fc.integer({ min: -50_000, max: 200_000 }), fc.integer({ min: 0, max: 60_000_000 })),
      keyFrame: fc.boolean(),
      brightness: fc.constantFrom(20, 120, 220),
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
          for (const { elapsedUs, keyFrame, brightness, sizeBytes, targetBps } of steps) {
            timeUs = Math.max(0, timeUs + elapsedUs);
            if (targetBps !== undefined) control.setTarget(targetBps);
            const settings = control.plan(greyFrame(timeUs, brightness), keyFrame);
            const { quantizer, starvedUs, headroomUs } = control.limitation;
            expect([quantizer, starvedUs, headroomUs].every((value) => value >= 0)).toBe(true);
            if (settings === undefined) {
              expect(keyFrame).toBe(false);
              continue;
            }
            expect(settings.maxQuantizer).toSatisfy(
              (planned: number) => Number.isInteger(planned) && planned >= MIN_QUANTIZER && planned <= MAX_QUANTIZER,
            );
            control.encoded(sizeBytes, keyFrame ? 'key' : 'delta');
          }
        },
      ),
    );
  });
});
