import { beforeEach, describe, expect, it } from 'vitest';
import type { EncodeJob, NativeChunk, NativeEncoder } from '../../src/encoder/native-encoder.js';
import { ReopeningEncoder } from '../../src/encoder/reopening-encoder.js';

const PICTURE = new Uint8Array(12);
const FRAME_US = 33_333;

/** Tells in `log` what it was asked for, and by which bitrate it was opened. */
class FakeNative implements NativeEncoder {
  readonly #bitrateBps: number;

  constructor(bitrateBps: number) {
    this.#bitrateBps = bitrateBps;
  }

  async encode(picture: Uint8Array, { keyFrame, settings }: EncodeJob): Promise<NativeChunk> {
    expect(picture).toBe(PICTURE);
    expect(settings).toEqual({});
    log.push(`${keyFrame ? 'key' : 'delta'} ${this.#bitrateBps}`);
    return { data: new Uint8Array(1), type: keyFrame ? 'key' : 'delta', release: () => undefined };
  }

  free(): void {
    log.push(`free ${this.#bitrateBps}`);
  }
}

let log: string[];
let openError: Error | undefined;
let encoder: ReopeningEncoder;
let index: number;

beforeEach(() => {
  log = [];
  openError = undefined;
  index = 0;
  encoder = new ReopeningEncoder({
    native: new FakeNative(1000),
    bitrateBps: 1000,
    open: async (bitrateBps) => {
      log.push(`open ${bitrateBps}`);
      if (openError !== undefined) throw openError;
      return new FakeNative(bitrateBps);
    },
  });
});

/** Encodes one frame after another, 30 a second. */
async function encode(peakBps: number, keyFrame = false): Promise<NativeChunk> {
  const job = {
    index,
    timestampUs: index * FRAME_US,
    keyFrame,
    discardable: false,
    settings: { peakBps, bufferBits: 1 },
  };
  index += 1;
  return encoder.encode(PICTURE, job);
}

describe('ReopeningEncoder', () => {
  it('goes on with the same encoder while the rate is about the same', async () => {
    await encode(1000, true);
    await encode(1100);
    expect(log).toEqual(['key 1000', 'delta 1000']);
  });

  it('opens another one before it frees the one in force, and begins with a key frame', async () => {
    await encode(1000, true);
    expect((await encode(500)).type).toBe('key');
    expect((await encode(500)).type).toBe('delta');
    expect(log).toEqual(['key 1000', 'open 500', 'free 1000', 'key 500', 'delta 500']);
  });

  it('opens at most one in 2 s of capture time, and the last wish wins', async () => {
    await encode(500);
    while (index * FRAME_US < 2_000_000) await encode(2000 + index);
    expect(log.filter((entry) => entry.startsWith('open'))).toEqual(['open 500']);
    await encode(4000);
    expect(log.slice(-3)).toEqual(['open 4000', 'free 500', 'key 4000']);
  });

  it('fails the frame and goes on with the old one if no other one opens', async () => {
    await encode(1000, true);
    openError = new Error('no memory');
    await expect(encode(500)).rejects.toThrow('no memory');
    await encode(500, true);
    encoder.free();
    expect(log).toEqual(['key 1000', 'open 500', 'key 1000', 'free 1000']);
  });

  it('frees what is in force', async () => {
    await encode(500);
    encoder.free();
    expect(log).toEqual(['open 500', 'free 1000', 'key 500', 'free 500']);
  });
});
