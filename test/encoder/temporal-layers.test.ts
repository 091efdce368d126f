import { describe, expect, it } from 'vitest';
import type { VideoCodec, VideoEncoderConfig } from '../../src/encoder/encoder.js';
import { FallbackEncoderFactory } from '../../src/encoder/fallback-encoder-factory.js';
import type { EncodeJob, NativeChunk, NativeEncoder } from '../../src/encoder/native-encoder.js';
import { NodeAvEncoderFactory } from '../../src/encoder/node-av/node-av-encoder-factory.js';
import { QuantizerRateControl } from '../../src/encoder/quantizer-rate-control.js';
import { SingleFlightEncoder } from '../../src/encoder/single-flight-encoder.js';
import { frameSharesOf, type ScalabilityMode, TemporalPattern } from '../../src/encoder/temporal-layers.js';
import { validateEncoderConfig } from '../../src/encoder/validate-frame.js';
import { movingFrame } from '../support/moving-picture.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';
import { QueueInput } from '../support/queue-input.js';
import { VirtualClock } from '../support/virtual-clock.js';

const CONFIG: VideoEncoderConfig = { codec: 'vp8', width: 64, height: 48, framerate: 30, bitrateBps: 300_000 };
const FRAME_US = 33_333;
const LAYERED = { ...CONFIG, scalabilityMode: 'L1T3' } as const;

/** Notes what it is asked for. */
class NotingNative implements NativeEncoder {
  readonly jobs: EncodeJob[] = [];
  failNext = false;
  /** While set, the pictures are of another scene, which is kept. */
  keeps = false;

  async encode(_picture: Uint8Array, job: EncodeJob): Promise<NativeChunk> {
    this.jobs.push(job);
    if (this.failNext) {
      this.failNext = false;
      throw new Error('no');
    }
    const type = job.keyFrame ? 'key' : 'delta';
    const discardable = job.discardable && !this.keeps;
    return { data: Uint8Array.of(1), type, discardable, quantizer: 30, release: () => undefined };
  }

  free(): void {
    // Nothing is held.
  }
}

function openLayered(config: VideoEncoderConfig = LAYERED) {
  const input = new QueueInput();
  const native = new NotingNative();
  let skips = false;
  const rateControl = {
    layers: [] as number[],
    encodedLayers: [] as number[],
    setTarget: () => undefined,
    plan(_frame: unknown, _keyFrame: boolean, temporalLayerId: number) {
      this.layers.push(temporalLayerId);
      return skips ? undefined : {};
    },
    encoded(_sizeBytes: number, _type: string, _quantizer: number | undefined, temporalLayerId: number) {
      this.encodedLayers.push(temporalLayerId);
    },
  };
  const encoder = new SingleFlightEncoder({ config, implementation: 'fake', input, native, rateControl });
  let index = 0;
  const next = async (): Promise<number | string | undefined> => {
    input.push(movingFrame(index, { width: 64, height: 48 }));
    index += 1;
    const result = await encoder.read().catch(() => undefined);
    if (result?.kind !== 'chunk') return result?.kind ?? 'failed';
    result.chunk.release();
    return result.chunk.svc?.temporalLayerId;
  };
  const series = async (count: number) => {
    const layers: (number | string | undefined)[] = [];
    for (let at = 0; at < count; at += 1) layers.push(await next());
    return layers;
  };
  return {
    encoder,
    native,
    rateControl,
    series,
    skip: (whether: boolean) => {
      skips = whether;
    },
  };
}

describe('TemporalPattern', () => {
  it.each<[ScalabilityMode | undefined, readonly number[]]>([
    [undefined, [0, 0, 0, 0, 0]],
    ['L1T1', [0, 0, 0, 0, 0]],
    ['L1T2', [0, 1, 0, 1, 0]],
    ['L1T3', [0, 2, 1, 2, 0]],
  ])('of %s halves the rate with each layer that is left out', (mode, layers) => {
    const pattern = new TemporalPattern(mode);
    const seen = layers.map(() => {
      const layer = pattern.layerOf({ keyFrame: false });
      pattern.advance(layer);
      return layer;
    });
    expect(seen).toEqual(layers);
    const shares = frameSharesOf(mode);
    const total = layers.slice(0, 4).reduce((sum, layer) => sum + (shares[layer] ?? Number.NaN), 0);
    expect(total).toBeCloseTo(4);
  });
});

describe('an encoder with temporal layers', () => {
  it('marks what can be left out, for native code, rate control and packets alike', async () => {
    const { native, rateControl, series } = openLayered();
    expect(await series(6)).toEqual([0, 2, 1, 2, 0, 2]);
    expect(native.jobs.map(({ discardable }) => discardable)).toEqual([false, true, true, true, false, true]);
    expect(rateControl.layers).toEqual([0, 2, 1, 2, 0, 2]);
  });

  it('begins anew with a key frame, which is never one that can be left out', async () => {
    const { encoder, native, series } = openLayered();
    await series(2);
    encoder.forceKeyFrame();
    expect(await series(3)).toEqual([0, 2, 1]);
    expect(native.jobs.map(({ keyFrame }) => keyFrame)).toEqual([true, false, true, false, false]);
    expect(native.jobs.some(({ keyFrame, discardable }) => keyFrame && discardable)).toBe(false);
  });

  it('gives the place of a frame that rate control leaves out to the next', async () => {
    const { series, skip } = openLayered();
    await series(1);
    skip(true);
    expect(await series(2)).toEqual(['skipped', 'skipped']);
    skip(false);
    expect(await series(3)).toEqual([2, 1, 2]);
  });

  it('takes another scene into layer 0, wherever it begins, and begins anew with it', async () => {
    const { native, rateControl, series } = openLayered();
    await series(2);
    native.keeps = true;
    expect(await series(1)).toEqual([0]);
    native.keeps = false;
    expect(await series(4)).toEqual([2, 1, 2, 0]);
    expect(rateControl.encodedLayers).toEqual([0, 2, 0, 2, 1, 2, 0]);
  });

  it('begins anew after a failure: the library may have taken the frame as a reference', async () => {
    const { native, series } = openLayered();
    await series(2);
    native.failNext = true;
    expect(await series(3)).toEqual(['failed', 0, 2]);
    expect(native.jobs[3]).toMatchObject({ keyFrame: true, discardable: false });
  });

  it('tells nothing of layers where there are none', async () => {
    expect(await openLayered(CONFIG).series(3)).toEqual([undefined, undefined, undefined]);
    expect(await openLayered({ ...CONFIG, scalabilityMode: 'L1T1' }).series(2)).toEqual([undefined, undefined]);
  });
});

describe('rate control of temporal layers', () => {
  /** Frames of an encoder: 9 steps halve them, and upper ones are somewhat smaller at the same quantizer. */
  function run(scalabilityMode: ScalabilityMode, targetBps: number, frames = 240) {
    const frameShares = frameSharesOf(scalabilityMode);
    const control = new QuantizerRateControl({ targetBps, framerate: 30, pixels: 640 * 480, frameShares });
    const pattern = new TemporalPattern(scalabilityMode);
    const made = Array.from({ length: frames }, (_unused, index) => {
      const keyFrame = index === 0;
      const layer = pattern.layerOf({ keyFrame });
      const data = new Uint8Array(64 * 96).fill(100);
      const timestamp = index * FRAME_US;
      const settings = control.plan(
        { format: 'I420', codedWidth: 64, codedHeight: 64, data, timestamp },
        keyFrame,
        layer,
      );
      const quantizer = settings?.maxQuantizer;
      if (quantizer === undefined) return { layer, quantizer: Number.NaN, sizeBytes: 0 };
      pattern.advance(layer);
      const sizeBytes = (layer === 0 ? 40_000 : 28_000) * 2 ** (-quantizer / 10) * (keyFrame ? 5 : 1);
      control.encoded(sizeBytes, keyFrame ? 'key' : 'delta', quantizer, layer);
      return { layer, quantizer, sizeBytes };
    });
    return made.slice(frames / 2);
  }

  const bytes = (frames: readonly { readonly sizeBytes: number }[]) =>
    frames.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

  it.each([
    ['L1T2', 0.7],
    ['L1T3', 0.55],
  ] as const)('holds the target with %s, of which layer 0 gets its share', (mode, share) => {
    const frames = run(mode, 700_000);
    expect((bytes(frames) * 8 * 30) / frames.length / 700_000).toBeCloseTo(1, 1);
    expect(bytes(frames.filter(({ layer }) => layer === 0)) / bytes(frames)).toBeCloseTo(share, 1);
  });

  it('gives upper frames a coarser quantizer, and each layer a steady one', () => {
    const frames = run('L1T3', 700_000);
    const spreadOf = (layer: number) => {
      const values = frames.filter((frame) => frame.layer === layer).map(({ quantizer }) => quantizer);
      return { least: Math.min(...values), largest: Math.max(...values) };
    };
    const [base, middle, top] = [spreadOf(0), spreadOf(1), spreadOf(2)];
    expect(middle.least).toBeGreaterThan(base.largest + 3);
    expect(top.least).toBeGreaterThan(base.largest + 3);
    for (const { least, largest } of [base, middle, top]) expect(largest - least).toBeLessThanOrEqual(3);
  });
});

describe('temporal layers that cannot be had', () => {
  it.each<[VideoCodec, string | undefined]>([
    ['vp8', undefined],
    ['vp9', undefined],
    ['h264', 'NOT_SUPPORTED'],
    ['av1', 'NOT_SUPPORTED'],
  ])('of %s: %s', (codec, code) => {
    const attempt = () => validateEncoderConfig({ ...LAYERED, codec });
    if (code === undefined) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(expect.objectContaining({ code, context: { codec, scalabilityMode: 'L1T3' } }));
    validateEncoderConfig({ ...CONFIG, codec, scalabilityMode: 'L1T1' });
  });

  it.each(['L2T1', 'l1t2', '', 3, 'toString'])('refuses the mode %j by naming those that there are', (mode) => {
    const scalabilityMode = mode as ScalabilityMode;
    expect(() => validateEncoderConfig({ ...CONFIG, scalabilityMode })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('L1T1 or L1T2 or L1T3') }),
    );
  });

  it('are refused by node-av, with what does have them', async () => {
    await expect(new NodeAvEncoderFactory().open(LAYERED, new QueueInput())).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      message: expect.stringContaining('build:native'),
    });
  });

  it('are looked for in the next back end, without blame for the one that has none', async () => {
    const [plain, layered] = [new PoisoningEncoderFactory(), new PoisoningEncoderFactory()];
    plain.layers = false;
    const fallback = new FallbackEncoderFactory([plain, layered], { clock: new VirtualClock() });
    await (await fallback.open(LAYERED, new QueueInput())).close();
    expect([plain.opened, layered.opened]).toEqual([0, 1]);
    await (await fallback.open(CONFIG, new QueueInput())).close();
    expect([plain.opened, layered.opened]).toEqual([1, 1]);
    layered.layers = false;
    await expect(fallback.open(LAYERED, new QueueInput())).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    layered.layers = true;
    layered.openError = new Error('out of memory');
    await expect(fallback.open(LAYERED, new QueueInput())).rejects.toMatchObject({ code: 'ENCODER_OPEN_FAILED' });
  });
});
