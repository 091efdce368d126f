import { beforeEach, describe, expect, it } from 'vitest';
import type { AudioEncoderConfig } from '../../src/encoder/audio-encoder.js';
import type { RawAudioData } from '../../src/encoder/audio-frame.js';
import type { NativeAudioEncoder, NativeAudioPacket } from '../../src/encoder/native-audio-encoder.js';
import { SingleFlightAudioEncoder } from '../../src/encoder/single-flight-audio-encoder.js';
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
  packets = 0;
  frees = 0;
  failNext: Error | undefined;
  held: Promise<void> | undefined;
  #inUse = false;

  constructor(bitrateBps: number) {
    this.bitrateBps = bitrateBps;
  }

  async encode(samples: Uint8Array): Promise<NativeAudioPacket> {
    expect(this.#inUse || this.frees > 0, 'encode at a wrong time').toBe(false);
    expect(samples).toHaveLength(1920);
    this.#inUse = true;
    await this.held;
    this.#inUse = false;
    const error = this.failNext;
    this.failNext = undefined;
    if (error !== undefined) throw error;
    this.packets += 1;
    this.#inUse = true;
    return {
      data: Uint8Array.of(this.packets),
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

let tone: Tone;
let input: QueueInput<RawAudioData>;
let natives: FakeNative[];
let openError: Error | undefined;
let encoder: SingleFlightAudioEncoder;

beforeEach(() => {
  tone = new Tone({ frequenciesHz: [440] });
  input = new QueueInput();
  natives = [new FakeNative(32_000)];
  openError = undefined;
  encoder = new SingleFlightAudioEncoder({
    config,
    implementation: 'fake',
    input,
    native: native(),
    open: async (bitrateBps) => {
      if (openError !== undefined) throw openError;
      natives.push(new FakeNative(bitrateBps));
      return native();
    },
  });
});

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
