import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EncodedVideoChunk, VideoCodec, VideoEncoder, VideoEncoderConfig } from '../../src/encoder/encoder.js';
import { NodeAvEncoderFactory } from '../../src/encoder/node-av/node-av-encoder-factory.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { type MovingFrameOptions, movingFrame } from '../support/moving-picture.js';
import { QueueInput } from '../support/queue-input.js';
import { type DecodableCodec, lumaPsnrDb, VideoDecoder } from '../support/video-decoder.js';

const FRAMERATE = 30;
/** Below this a picture is broken, not just coarse: the frame beside the right one is at 20 dB. */
const SOUND_PSNR_DB = 24;

const factory = new NodeAvEncoderFactory();
let input: QueueInput;
let encoder: VideoEncoder | undefined;
let lent: EncodedVideoChunk | undefined;
let releases: number[];
let nextIndex: number;

function configOf(codec: VideoCodec, changes: Partial<VideoEncoderConfig> = {}): VideoEncoderConfig {
  return { codec, width: 640, height: 480, framerate: FRAMERATE, bitrateBps: 1_000_000, ...changes };
}

async function open(config: VideoEncoderConfig): Promise<VideoEncoder> {
  encoder = await factory.open(config, input);
  return encoder;
}

/** Frames counted in `releases` under their index. */
function frame(options: MovingFrameOptions = {}): RawVideoFrame {
  const index = nextIndex;
  nextIndex += 1;
  return movingFrame(index, { release: () => releases.push(index), ...options });
}

async function readChunk(from: VideoEncoder): Promise<EncodedVideoChunk> {
  const result = await from.read();
  if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
  lent = result.chunk;
  return result.chunk;
}

/** Encodes `count` frames and returns their sizes in bytes. */
async function encodeSizes(from: VideoEncoder, count: number): Promise<number[]> {
  const sizes: number[] = [];
  for (let index = 0; index < count; index += 1) {
    input.push(frame());
    const chunk = await readChunk(from);
    sizes.push(chunk.data.byteLength);
    chunk.release();
  }
  return sizes;
}

/** The luma plane at half its width and height: each pixel the mean of four. */
function halvedLuma(data: Uint8Array, { width, height }: { width: number; height: number }): Uint8Array {
  const halved = new Uint8Array((width * height) / 4);
  const at = (x: number, y: number) => data[y * width + x] ?? 0;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      halved[(y / 2) * (width / 2) + x / 2] = (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4;
    }
  }
  return halved;
}

function rateBps(sizes: readonly number[]): number {
  return (sizes.reduce((sum, size) => sum + size, 0) * 8 * FRAMERATE) / sizes.length;
}

beforeEach(() => {
  input = new QueueInput();
  releases = [];
  nextIndex = 0;
});

afterEach(async () => {
  // A failed expectation leaves its chunk out, and close waits for it.
  lent?.release();
  await encoder?.close();
  encoder = undefined;
});

describe.each<DecodableCodec>(['vp8', 'h264'])('node-av %s encoder', (codec) => {
  it('makes one decodable chunk of each frame, in order, with its capture time and no key frame unasked', async () => {
    const from = await open(configOf(codec, { bitrateBps: 2_000_000 }));
    using decoder = await VideoDecoder.open(codec);
    const askedAt = 37;
    for (let index = 0; index < 60; index += 1) {
      const original = frame();
      input.push(original);
      if (index === askedAt) from.forceKeyFrame();
      const chunk = await readChunk(from);
      expect(chunk.timestamp).toBe(original.timestamp);
      expect(chunk.type, `chunk ${index}`).toBe(index === 0 || index === askedAt ? 'key' : 'delta');
      const picture = await decoder.decode(chunk.data);
      expect(picture).toMatchObject({ width: 640, height: 480, key: chunk.type === 'key' });
      expect(lumaPsnrDb(picture, original.data), `picture ${index}`).toBeGreaterThan(SOUND_PSNR_DB);
      chunk.release();
    }
    expect(releases).toEqual(Array.from({ length: 60 }, (_, index) => index));
  });

  it('follows the bitrate down and up again within two seconds of frames, without a key frame', async () => {
    const from = await open(configOf(codec, { bitrateBps: 2_000_000 }));
    await encodeSizes(from, 30);
    expect(rateBps(await encodeSizes(from, 60)) / 2_000_000).toBeCloseTo(1, 0.7);
    from.setBitrate(500_000);
    await encodeSizes(from, 45);
    expect(rateBps(await encodeSizes(from, 45)) / 500_000).toBeCloseTo(1, 0.7);
    from.setBitrate(2_000_000);
    await encodeSizes(from, 45);
    expect(rateBps(await encodeSizes(from, 45)) / 2_000_000).toBeCloseTo(1, 0.7);
  });

  it.each(['I420', 'NV12'] as const)('scales %s down to the fraction that it was opened for', async (format) => {
    const from = await open(configOf(codec, { width: 648, height: 480, format, scaleResolutionDownBy: 2 }));
    using decoder = await VideoDecoder.open(codec);
    for (let index = 0; index < 5; index += 1) {
      const size = { width: 648, height: 480 };
      const original = movingFrame(index, { ...size, format });
      input.push(original);
      const chunk = await readChunk(from);
      const picture = await decoder.decode(chunk.data);
      chunk.release();
      expect(picture).toMatchObject({ width: 324, height: 240 });
      expect(lumaPsnrDb(picture, halvedLuma(original.data, size))).toBeGreaterThan(SOUND_PSNR_DB);
    }
  });

  it.each<[string, MovingFrameOptions]>([
    ['I420', { format: 'I420' }],
    ['NV12', { format: 'NV12' }],
  ])(
    'encodes %s of a size that is no multiple of 16, padded rows and all, to the right colours',
    async (_, options) => {
      const size = { width: 322, height: 178 };
      const from = await open(configOf(codec, { ...size, ...options }));
      using decoder = await VideoDecoder.open(codec);
      const reference = movingFrame(5, size);
      const tight = movingFrame(5, { ...size, ...options });
      for (const candidate of [tight, withPaddedRows(tight), tight]) {
        input.push(candidate);
        const chunk = await readChunk(from);
        const picture = await decoder.decode(chunk.data);
        chunk.release();
        expect(lumaPsnrDb(picture, reference.data)).toBeGreaterThan(SOUND_PSNR_DB);
        const chroma = { ...picture, data: picture.data.subarray(322 * 178), height: 178 / 2 };
        expect(lumaPsnrDb(chroma, reference.data.subarray(322 * 178))).toBeGreaterThan(SOUND_PSNR_DB);
      }
    },
  );

  it('refuses an overlapping read without harm to the one in flight', async () => {
    const from = await open(configOf(codec));
    input.push(frame(), frame());
    const first = readChunk(from);
    await expect(from.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    const chunk = await first;
    await expect(from.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    chunk.release();
    (await readChunk(from)).release();
    expect(releases).toEqual([0, 1]);
  });

  it('closes during a read: the read ends, its chunk stays valid until released, then the encoder is freed', async () => {
    const from = await open(configOf(codec));
    using decoder = await VideoDecoder.open(codec);
    input.push(frame());
    const reading = readChunk(from);
    let closed = false;
    const closing = from.close().then(() => {
      closed = true;
    });
    const chunk = await reading;
    expect(closed).toBe(false);
    expect((await decoder.decode(chunk.data)).key).toBe(true);
    chunk.release();
    await closing;
    await expect(from.read()).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
    expect(releases).toEqual([0]);
  });

  it('refuses frames of a wrong size or format, releases them, and goes on', async () => {
    const from = await open(configOf(codec));
    input.push(frame({ width: 320, height: 240 }), frame({ format: 'NV12' }), frame());
    await expect(from.read()).rejects.toMatchObject({ code: 'FRAME_SIZE_MISMATCH' });
    await expect(from.read()).rejects.toMatchObject({ code: 'INVALID_FRAME' });
    const chunk = await readChunk(from);
    expect(chunk.type).toBe('key');
    chunk.release();
    expect(releases).toEqual([0, 1, 2]);
  });

  it('makes one chunk of each frame with several threads too', async () => {
    const from = await open(configOf(codec, { threads: 2 }));
    using decoder = await VideoDecoder.open(codec);
    for (let index = 0; index < 10; index += 1) {
      const original = frame();
      input.push(original);
      const chunk = await readChunk(from);
      expect(lumaPsnrDb(await decoder.decode(chunk.data), original.data)).toBeGreaterThan(SOUND_PSNR_DB);
      chunk.release();
    }
  });

  it('survives 50 cycles of open, encode and close, in twos at a time', async () => {
    const small = configOf(codec, { width: 160, height: 120 });
    const cycle = async (index: number): Promise<void> => {
      const own = new QueueInput();
      const from = await factory.open(small, own);
      own.push(movingFrame(index, { width: 160, height: 120 }));
      const reading = readChunk(from);
      const closing = from.close();
      (await reading).release();
      await closing;
    };
    for (let index = 0; index < 50; index += 2) await Promise.all([cycle(index), cycle(index + 1)]);
  });
});

describe('NodeAvEncoderFactory', () => {
  it('lists its codecs and refuses any other by naming them', async () => {
    expect(factory.codecs).toEqual(['vp8', 'h264']);
    await expect(factory.open(configOf('hevc' as VideoCodec), input)).rejects.toMatchObject({
      code: 'CODEC_UNSUPPORTED',
      message: expect.stringContaining('vp8, h264'),
    });
  });

  it('checks the config before native code', async () => {
    await expect(factory.open(configOf('vp8', { width: 7 }), input)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(factory.open(configOf('h264', { bitrateBps: 0 }), input)).rejects.toMatchObject({
      code: 'INVALID_BITRATE',
    });
  });

  it('reports what the encoder itself refuses as ENCODER_OPEN_FAILED with codec, size and cause', async () => {
    // VP8 codes a side in 14 bits.
    await expect(factory.open(configOf('vp8', { width: 16_384, height: 2 }), input)).rejects.toMatchObject({
      code: 'ENCODER_OPEN_FAILED',
      message: expect.stringMatching(/libvpx.*16384x2.*cannot open/),
      context: { codec: 'vp8', width: 16_384, height: 2 },
      cause: expect.any(Error),
    });
  });

  it('holds the lowest bitrate of all without lifting the limit', async () => {
    const from = await open(configOf('h264', { bitrateBps: 1000 }));
    expect(Math.max(...(await encodeSizes(from, 10)))).toBeLessThan(15_000);
  });

  it('limits the burst after a still picture by the buffer of the bitrate in force, not of an earlier one', async () => {
    const from = await open(configOf('h264', { bitrateBps: 20_000_000 }));
    await encodeSizes(from, 10);
    from.setBitrate(500_000);
    const still = movingFrame(0);
    for (let index = 0; index < 60; index += 1) {
      input.push({ ...still, timestamp: nextIndex * 33_333 });
      nextIndex += 1;
      (await readChunk(from)).release();
    }
    // Half a second at the rate, and the buffer of 300 ms.
    const burstSeconds = (rateBps(await encodeSizes(from, 15)) * 0.5) / 500_000;
    expect(burstSeconds).toBeLessThan(0.8);
  });

  it('tells the quantizer where the encoder does', async () => {
    const from = await open(configOf('h264'));
    input.push(frame());
    const chunk = await readChunk(from);
    expect(chunk.quantizer).toBeGreaterThan(5);
    expect(chunk.quantizer).toBeLessThanOrEqual(51);
    chunk.release();
  });
});

/** The same picture with 30 bytes of rubbish behind each row and before each plane. */
function withPaddedRows(tight: RawVideoFrame): RawVideoFrame {
  const { codedWidth: width, codedHeight: height, format } = tight;
  const chroma = { rowBytes: width / 2, rows: height / 2 };
  const planes = [
    { rowBytes: width, rows: height },
    ...(format === 'I420' ? [chroma, chroma] : [{ rowBytes: width, rows: height / 2 }]),
  ];
  const parts: Uint8Array[] = [];
  const rubbish = new Uint8Array(30).fill(0xaa);
  const layout: { offset: number; stride: number }[] = [];
  let read = 0;
  let written = 0;
  for (const { rowBytes, rows } of planes) {
    parts.push(rubbish);
    written += 30;
    layout.push({ offset: written, stride: rowBytes + 30 });
    for (let row = 0; row < rows; row += 1) {
      parts.push(tight.data.subarray(read, read + rowBytes), rubbish);
      read += rowBytes;
      written += rowBytes + 30;
    }
  }
  return { ...tight, data: Buffer.concat(parts), layout };
}
