import { describe, expect, it } from 'vitest';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { configOf, type EncoderFixture, rateBps, SOUND_PSNR_DB } from '../support/encoder-fixture.js';
import { type MovingFrameOptions, movingFrame } from '../support/moving-picture.js';
import { QueueInput } from '../support/queue-input.js';
import { lumaPsnrDb, VideoDecoder } from '../support/video-decoder.js';

/** What every encoder of a back end has to do, whatever its codec. */
export function itKeepsTheEncoderContract(name: string, fixture: EncoderFixture, codecs: readonly VideoCodec[]): void {
  describe.each(codecs)(`${name} %s encoder`, (codec) => {
    it('makes one decodable chunk of each frame, in order, with its capture time and no key frame unasked', async () => {
      const from = await fixture.open(configOf(codec, { bitrateBps: 2_000_000 }));
      using decoder = await VideoDecoder.open(codec);
      const askedAt = 37;
      for (let index = 0; index < 60; index += 1) {
        const original = fixture.frame();
        fixture.input.push(original);
        if (index === askedAt) from.forceKeyFrame();
        const chunk = await fixture.readChunk(from);
        expect(chunk.timestamp).toBe(original.timestamp);
        expect(chunk.type, `chunk ${index}`).toBe(index === 0 || index === askedAt ? 'key' : 'delta');
        const picture = await decoder.decode(chunk.data);
        expect(picture).toMatchObject({ width: 640, height: 480, key: chunk.type === 'key' });
        expect(lumaPsnrDb(picture, original.data), `picture ${index}`).toBeGreaterThan(SOUND_PSNR_DB);
        chunk.release();
      }
      expect(fixture.releases).toEqual(Array.from({ length: 60 }, (_, index) => index));
    });

    it('makes no key frame unasked over 300 frames at a steady rate', async () => {
      const from = await fixture.open(configOf(codec, { width: 320, height: 240, bitrateBps: 500_000 }));
      const keyFrames: number[] = [];
      for (let index = 0; index < 300; index += 1) {
        fixture.input.push(fixture.frame({ width: 320, height: 240 }));
        const chunk = await fixture.readChunk(from);
        if (chunk.type === 'key') keyFrames.push(index);
        chunk.release();
      }
      expect(keyFrames).toEqual([0]);
    });

    it.each(['I420', 'NV12'] as const)('scales %s down to the fraction that it was opened for', async (format) => {
      const from = await fixture.open(configOf(codec, { width: 648, height: 480, format, scaleResolutionDownBy: 2 }));
      using decoder = await VideoDecoder.open(codec);
      for (let index = 0; index < 5; index += 1) {
        const size = { width: 648, height: 480 };
        const original = movingFrame(index, { ...size, format });
        fixture.input.push(original);
        const chunk = await fixture.readChunk(from);
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
        const from = await fixture.open(configOf(codec, { ...size, ...options }));
        using decoder = await VideoDecoder.open(codec);
        const reference = movingFrame(5, size);
        const tight = movingFrame(5, { ...size, ...options });
        for (const candidate of [tight, withPaddedRows(tight), tight]) {
          fixture.input.push(candidate);
          const chunk = await fixture.readChunk(from);
          const picture = await decoder.decode(chunk.data);
          chunk.release();
          expect(lumaPsnrDb(picture, reference.data)).toBeGreaterThan(SOUND_PSNR_DB);
          const chroma = { ...picture, data: picture.data.subarray(322 * 178), height: 178 / 2 };
          expect(lumaPsnrDb(chroma, reference.data.subarray(322 * 178))).toBeGreaterThan(SOUND_PSNR_DB);
        }
      },
    );

    it('refuses an overlapping read without harm to the one in flight', async () => {
      const from = await fixture.open(configOf(codec));
      fixture.input.push(fixture.frame(), fixture.frame());
      const first = fixture.readChunk(from);
      await expect(from.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
      const chunk = await first;
      await expect(from.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
      chunk.release();
      (await fixture.readChunk(from)).release();
      expect(fixture.releases).toEqual([0, 1]);
    });

    it('closes during a read: the read ends, its chunk stays valid until released, then the encoder is freed', async () => {
      const from = await fixture.open(configOf(codec));
      using decoder = await VideoDecoder.open(codec);
      fixture.input.push(fixture.frame());
      const reading = fixture.readChunk(from);
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
      expect(fixture.releases).toEqual([0]);
    });

    it('refuses frames of a wrong size or format, fixture.releases them, and goes on', async () => {
      const from = await fixture.open(configOf(codec));
      fixture.input.push(
        fixture.frame({ width: 320, height: 240 }),
        fixture.frame({ format: 'NV12' }),
        fixture.frame(),
      );
      await expect(from.read()).rejects.toMatchObject({ code: 'FRAME_SIZE_MISMATCH' });
      await expect(from.read()).rejects.toMatchObject({ code: 'INVALID_FRAME' });
      const chunk = await fixture.readChunk(from);
      expect(chunk.type).toBe('key');
      chunk.release();
      expect(fixture.releases).toEqual([0, 1, 2]);
    });

    it('makes one chunk of each frame with several threads too', async () => {
      const from = await fixture.open(configOf(codec, { threads: 2 }));
      using decoder = await VideoDecoder.open(codec);
      for (let index = 0; index < 10; index += 1) {
        const original = fixture.frame();
        fixture.input.push(original);
        const chunk = await fixture.readChunk(from);
        expect(lumaPsnrDb(await decoder.decode(chunk.data), original.data)).toBeGreaterThan(SOUND_PSNR_DB);
        chunk.release();
      }
    });

    it('survives 50 cycles of open, encode and close, in twos at a time', async () => {
      const small = configOf(codec, { width: 160, height: 120 });
      const cycle = async (index: number): Promise<void> => {
        const own = new QueueInput();
        const from = await fixture.factory.open(small, own);
        own.push(movingFrame(index, { width: 160, height: 120 }));
        const reading = fixture.readChunk(from);
        const closing = from.close();
        (await reading).release();
        await closing;
      };
      for (let index = 0; index < 50; index += 2) await Promise.all([cycle(index), cycle(index + 1)]);
    });
  });
}

/** What every encoder has to do that takes a new rate between two frames. */
export function itFollowsTheBitrate(name: string, fixture: EncoderFixture, codecs: readonly VideoCodec[]): void {
  describe.each(codecs)(`${name} %s encoder, whose rate can be turned`, (codec) => {
    it('follows the bitrate down and up again within two seconds of frames, without a key frame', async () => {
      const from = await fixture.open(configOf(codec, { bitrateBps: 2_000_000 }));
      await fixture.encodeSizes(from, 30);
      expect(rateBps(await fixture.encodeSizes(from, 60)) / 2_000_000).toBeCloseTo(1, 0.7);
      from.setBitrate(500_000);
      await fixture.encodeSizes(from, 45);
      expect(rateBps(await fixture.encodeSizes(from, 45)) / 500_000).toBeCloseTo(1, 0.7);
      from.setBitrate(2_000_000);
      await fixture.encodeSizes(from, 45);
      expect(rateBps(await fixture.encodeSizes(from, 45)) / 2_000_000).toBeCloseTo(1, 0.7);
    });
  });
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
