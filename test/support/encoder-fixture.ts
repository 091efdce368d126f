import { afterEach, beforeEach } from 'vitest';
import type {
  EncodedVideoChunk,
  VideoCodec,
  VideoEncoder,
  VideoEncoderConfig,
  VideoEncoderFactory,
} from '../../src/encoder/encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { type MovingFrameOptions, movingFrame } from './moving-picture.js';
import { QueueInput } from './queue-input.js';

/** Of all test pictures, frames per second. */
export const FRAMERATE = 30;

/** Below this a picture is broken, not just coarse: the frame beside the right one is at 20 dB. */
export const SOUND_PSNR_DB = 24;

export function configOf(codec: VideoCodec, changes: Partial<VideoEncoderConfig> = {}): VideoEncoderConfig {
  return { codec, width: 640, height: 480, framerate: FRAMERATE, bitrateBps: 1_000_000, ...changes };
}

export function rateBps(sizes: readonly number[]): number {
  return (sizes.reduce((sum, size) => sum + size, 0) * 8 * FRAMERATE) / sizes.length;
}

/** An encoder a test, and the frames that it is given. Made once in a file: it starts anew before each test and closes the encoder after it. */
export class EncoderFixture {
  readonly factory: VideoEncoderFactory;
  input = new QueueInput();
  /** Frames that were released, by their index. */
  releases: number[] = [];
  nextIndex = 0;
  #encoder: VideoEncoder | undefined;
  #lent: EncodedVideoChunk | undefined;

  constructor(factory: VideoEncoderFactory) {
    this.factory = factory;
    beforeEach(() => {
      this.input = new QueueInput();
      this.releases = [];
      this.nextIndex = 0;
    });
    afterEach(async () => {
      // A failed expectation leaves its chunk out, and close waits for it.
      this.#lent?.release();
      await this.#encoder?.close();
      this.#encoder = undefined;
    });
  }

  async open(config: VideoEncoderConfig): Promise<VideoEncoder> {
    this.#encoder = await this.factory.open(config, this.input);
    return this.#encoder;
  }

  /** The next frame, counted in `releases` under its index. */
  frame(options: MovingFrameOptions = {}): RawVideoFrame {
    const index = this.nextIndex;
    this.nextIndex += 1;
    return movingFrame(index, { release: () => this.releases.push(index), ...options });
  }

  async readChunk(from: VideoEncoder): Promise<EncodedVideoChunk> {
    const result = await from.read();
    if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
    this.#lent = result.chunk;
    return result.chunk;
  }

  /** Encodes `count` frames and returns their sizes in bytes. */
  async encodeSizes(from: VideoEncoder, count: number): Promise<number[]> {
    const sizes: number[] = [];
    for (let index = 0; index < count; index += 1) {
      this.input.push(this.frame());
      const chunk = await this.readChunk(from);
      sizes.push(chunk.data.byteLength);
      chunk.release();
    }
    return sizes;
  }
}
