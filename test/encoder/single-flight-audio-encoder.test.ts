import { beforeEach, describe, expect, it } from 'vitest';
import type { AudioEncoderConfig } from '../../src/encoder/audio-encoder.js';
import type { RawAudioData } from '../../src/encoder/audio-frame.js';
import type { NativeAudioEncoder, NativeAudioPacket } from '../../src/encoder/native-audio-encoder.js';
import type { NativeAudioResampler } from '../../src/encoder/native-audio-resampler.js';
import { type NativeAudioRate, SingleFlightAudioEncoder } from '../../src/encoder/single-flight-audio-encoder.js';
import { QueueInput } from '../support/queue-input.js';
import { Tone } from '../support/sound.js';
import { settle } from '../support/virtual-clock.js';

const config: AudioEncoderConfig = {
  codec: 'opus',
  format: 's16',
  sampleRate: 48_000,
  numberOfChannels: 1,
  bitrateBps: 32_000,
};

/** Fails the test on whatever would crash a real encoder. */
class FakeNative implements NativeAudioEncoder {
  readonly bitrateBps: number;
  readonly expectedLoss: number;
  /** Sizes of the packets to come; 1 byte, of silence, or 40 when they are used up. */
  readonly sizes: number[] = [];
  /** First byte of what was encoded last. */
  heard = 0;
  packets = 0;
  frees = 0;
  failNext: Error | undefined;
  held: Promise<void> | undefined;
  #inUse = false;

  constructor({ bitrateBps, expectedLoss }: NativeAudioRate) {
    this.bitrateBps = bitrateBps;
    this.expectedLoss = expectedLoss;
  }

  async encode(samples: Uint8Array): Promise<NativeAudioPacket> {
    expect(this.#inUse || this.frees > 0, 'encode at a wrong time').toBe(false);
    expect(samples).toHaveLength(1920);
    this.#inUse = true;
    this.heard = samples[0] ?? 0;
    await this.held;
    this.#inUse = false;
    const error = this.failNext;
    this.failNext = undefined;
    if (error !== undefined) throw error;
    this.packets += 1;
    this.#inUse = true;
    return {
      data: new Uint8Array(this.sizes.shift() ?? 40).fill(this.packets),
      release: () => {
        this.#inUse = false;
      },
    };
  }

  free(): void {
    expect(this.#inUse || this.frees > 0, 'freed at a wrong time').toBe(false);
    this.frees += 1;
  }
}

/** Stands for one that turns 20 ms at 8 kHz into 20 ms of a byte that counts the frames since it began. */
class FakeResampler implements NativeAudioResampler {
  readonly delayUs = 2_000;
  frames = 0;
  frees = 0;

  resample(samples: Uint8Array): Uint8Array {
    expect(samples).toHaveLength(320);
    expect(this.frees, 'used after free').toBe(0);
    this.frames += 1;
    return new Uint8Array(1920).fill(this.frames);
  }

  restart(): void {
    this.frames = 0;
  }

  free(): void {
    this.frees += 1;
  }
}

let tone: Tone;
let input: QueueInput<RawAudioData>;
let natives: FakeNative[];
let openError: Error | undefined;
let encoder: SingleFlightAudioEncoder;

beforeEach(() => {
  tone = new Tone({ frequenciesHz: [440] });
  input = new QueueInput();
  natives = [new FakeNative({ bitrateBps: 32_000, expectedLoss: 0.05 })];
  openError = undefined;
  encoder = encoderOf(config);
});

function encoderOf(ownConfig: AudioEncoderConfig, resampler?: NativeAudioResampler): SingleFlightAudioEncoder {
  return new SingleFlightAudioEncoder({
    config: ownConfig,
    implementation: 'fake',
    input,
    native: native(),
    resampler,
    open: async (rate) => {
      if (openError !== undefined) throw openError;
      natives.push(new FakeNative(rate));
      return native();
    },
  });
}

/** The native encoder that was opened last. */
function native(): FakeNative {
  const [last] = natives.slice(-1);
  if (last === undefined) throw new Error('none was opened');
  return last;
}

/** Encodes so many frames of 20 ms. */
async function encodeFrames(count: number): Promise<void> {
  for (let frame = 0; frame < count; frame += 1) {
    input.push(tone.next(960));
    const result = await encoder.read();
    if (result.kind === 'chunk') result.chunk.release();
  }
}

describe('SingleFlightAudioEncoder', () => {
  it('makes one packet of each frame, with the capture time of the frame', async () => {
    expect(await encoder.read()).toEqual({ kind: 'empty' });
    input.push(tone.next(960), tone.next(960));
    for (const timestamp of [0, 20_000]) {
      const result = await encoder.read();
      expect(result).toMatchObject({ kind: 'chunk', chunk: { timestamp, type: 'key' } });
      if (result.kind === 'chunk') result.chunk.release();
    }
  });

  it.each<[string, Partial<RawAudioData>]>([
    ['of 10 ms', { numberOfFrames: 480, data: new Uint8Array(960) }],
    ['of two channels', { numberOfChannels: 2, data: new Uint8Array(3840) }],
    ['of another format', { format: 'f32', data: new Uint8Array(3840) }],
    ['that is too short', { data: new Uint8Array(3) }],
  ])('refuses a frame %s before native code, and goes on', async (_, changes) => {
    input.push({ ...tone.next(960), ...changes });
    await expect(encoder.read()).rejects.toMatchObject({ code: 'INVALID_FRAME' });
    await encodeFrames(1);
    expect(native().packets).toBe(1);
  });

  it('refuses an overlapping read and one while a packet is out', async () => {
    input.push(tone.next(960), tone.next(960));
    const first = encoder.read();
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    const result = await first;
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    if (result.kind === 'chunk') result.chunk.release();
    expect((await encoder.read()).kind).toBe('chunk');
  });

  it('opens another native encoder for another bitrate, frees the old one, and does so at most every 2 s of sound', async () => {
    await encodeFrames(1);
    encoder.setBitrate(16_000);
    await encodeFrames(1);
    expect(natives.map(({ bitrateBps, frees }) => [bitrateBps, frees])).toEqual([
      [32_000, 1],
      [16_000, 0],
    ]);
    encoder.setBitrate(24_000);
    await encodeFrames(99);
    expect(natives).toHaveLength(2);
    await encodeFrames(1);
    expect(natives.map(({ bitrateBps, frees, packets }) => [bitrateBps, frees, packets])).toEqual([
      [32_000, 1, 1],
      [16_000, 1, 100],
      [24_000, 0, 1],
    ]);
  });

  it('stays with its native encoder while the bitrate is within 15 %', async () => {
    for (const bitrateBps of [28_000, 36_000, 32_000]) {
      encoder.setBitrate(bitrateBps);
      await encodeFrames(1);
    }
    expect(natives).toHaveLength(1);
    encoder.setBitrate(27_000);
    await encodeFrames(1);
    expect(natives).toHaveLength(2);
    // From here on the tolerance is that around 27 kbit/s.
    encoder.setBitrate(31_000);
    await encodeFrames(101);
    expect(natives).toHaveLength(2);
    encoder.setBitrate(32_000);
    await encodeFrames(1);
    expect(natives).toHaveLength(3);
  });

  it('goes on with the old native encoder if no other one opens, tells it once, and tries again later', async () => {
    openError = new Error('out of memory');
    encoder.setBitrate(8_000);
    input.push(tone.next(960));
    await expect(encoder.read()).rejects.toMatchObject({
      code: 'ENCODER_FAILED',
      message: expect.stringContaining('out of memory'),
    });
    await encodeFrames(99);
    expect(native()).toMatchObject({ bitrateBps: 32_000, packets: 99, frees: 0 });
    openError = undefined;
    await encodeFrames(1);
    expect(native()).toMatchObject({ bitrateBps: 8_000, packets: 1 });
  });

  it('opens another native encoder for another expected loss as well, at the same pace', async () => {
    await encodeFrames(1);
    encoder.setExpectedLoss(0.1);
    encoder.setBitrate(33_000);
    await encodeFrames(1);
    encoder.setExpectedLoss(0.2);
    await encodeFrames(99);
    expect(natives.map(({ expectedLoss, bitrateBps }) => [expectedLoss, bitrateBps])).toEqual([
      [0.05, 32_000],
      [0.1, 33_000],
    ]);
    await encodeFrames(1);
    expect(native()).toMatchObject({ expectedLoss: 0.2, packets: 1 });
    expect(() => encoder.setExpectedLoss(Number.NaN)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('refuses a bitrate that makes no sense', () => {
    expect(() => encoder.setBitrate(0)).toThrow(expect.objectContaining({ code: 'INVALID_BITRATE' }));
  });

  it('reports a native error as ENCODER_FAILED with its text and cause', async () => {
    native().failNext = new Error('cannot encode: Invalid argument');
    input.push(tone.next(960));
    await expect(encoder.read()).rejects.toMatchObject({
      code: 'ENCODER_FAILED',
      message: expect.stringContaining('cannot encode: Invalid argument'),
      cause: expect.any(Error),
    });
    await encodeFrames(1);
  });

  it('frees the native encoder of the moment, once, after the read in flight and the release of its packet', async () => {
    encoder.setBitrate(16_000);
    input.push(tone.next(960));
    const reading = encoder.read();
    const closing = Promise.all([encoder.close(), encoder.close()]);
    const result = await reading;
    await settle();
    expect(natives.map(({ frees }) => frees)).toEqual([1, 0]);
    if (result.kind === 'chunk') result.chunk.release();
    await closing;
    expect(natives.map(({ frees }) => frees)).toEqual([1, 1]);
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
    encoder.setBitrate(0);
  });
});

describe('SingleFlightAudioEncoder with dtx', () => {
  async function outcomes(sizes: readonly number[]): Promise<unknown[]> {
    const results: unknown[] = [];
    native().sizes.push(...sizes);
    for (const _ of sizes) {
      input.push(tone.next(960));
      const result = await encoder.read();
      results.push(result.kind === 'chunk' ? result.chunk.data.length : result);
      if (result.kind === 'chunk') result.chunk.release();
    }
    return results;
  }

  it('hands out the first packet of a silence, skips the others, and goes on with the next sound', async () => {
    encoder = encoderOf({ ...config, dtx: true });
    expect(await outcomes([40, 1, 1, 2, 20, 1, 1, 40])).toEqual([
      40,
      1,
      { kind: 'skipped', timestamp: 40_000, reason: 'silence' },
      { kind: 'skipped', timestamp: 60_000, reason: 'silence' },
      20,
      1,
      { kind: 'skipped', timestamp: 120_000, reason: 'silence' },
      40,
    ]);
  });

  it('gives the packet of a skipped frame back, so that it can be closed', async () => {
    encoder = encoderOf({ ...config, dtx: true });
    await outcomes([1, 1]);
    await encoder.close();
    expect(native().frees).toBe(1);
  });

  it('hands out every packet without it, be it ever so small', async () => {
    expect(await outcomes([1, 1, 1])).toEqual([1, 1, 1]);
  });
});

describe('SingleFlightAudioEncoder of sound at 8 kHz', () => {
  let resampler: FakeResampler;

  beforeEach(() => {
    tone = new Tone({ frequenciesHz: [440], sampleRate: 8_000, startUs: 100_000 });
    resampler = new FakeResampler();
    encoder = encoderOf({ ...config, sampleRate: 8_000 }, resampler);
  });

  /** Encodes a frame and returns the capture time of its chunk and which frame since its beginning the resampler took it for. */
  async function encode(frame: RawAudioData): Promise<readonly [number, number]> {
    input.push(frame);
    const result = await encoder.read();
    if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
    result.chunk.release();
    return [result.chunk.timestamp, native().heard];
  }

  it('resamples every frame, and dates its chunk as much earlier as the resampler holds back', async () => {
    expect(await encode(tone.next(160))).toEqual([98_000, 1]);
    expect(await encode(tone.next(160))).toEqual([118_000, 2]);
  });

  it('starts the resampler anew after a gap in capture times, and over a new native encoder it goes on', async () => {
    await encode(tone.next(160));
    encoder.setBitrate(16_000);
    expect(await encode(tone.next(160))).toEqual([118_000, 2]);
    expect(natives).toHaveLength(2);
    tone.next(160);
    expect(await encode(tone.next(160))).toEqual([158_000, 1]);
  });

  it('refuses frames that are 20 ms at another rate, before native code', async () => {
    input.push({ ...tone.next(160), sampleRate: 48_000 }, tone.next(320));
    await expect(encoder.read()).rejects.toMatchObject({ code: 'INVALID_FRAME' });
    await expect(encoder.read()).rejects.toMatchObject({ code: 'INVALID_FRAME' });
    expect(resampler.frames + native().packets).toBe(0);
  });

  it('frees the resampler with the native encoder, once', async () => {
    await encode(tone.next(160));
    await Promise.all([encoder.close(), encoder.close()]);
    expect([resampler.frees, native().frees]).toEqual([1, 1]);
  });
});
