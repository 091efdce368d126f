import { describe, expect, it } from 'vitest';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { NodeAvEncoderFactory } from '../../src/encoder/node-av/node-av-encoder-factory.js';
import { configOf, EncoderFixture, rateBps, SOUND_PSNR_DB } from '../support/encoder-fixture.js';
import { movingFrame } from '../support/moving-picture.js';
import { lumaPsnrDb, VideoDecoder } from '../support/video-decoder.js';
import { itFollowsTheBitrate, itKeepsTheEncoderContract } from './encoder-contract.js';

const fixture = new EncoderFixture(new NodeAvEncoderFactory());

itKeepsTheEncoderContract('node-av', fixture, ['vp8', 'vp9', 'h264', 'av1']);
itFollowsTheBitrate('node-av', fixture, ['vp8', 'vp9', 'h264']);

describe('node-av av1 encoder, which keeps its rate for life', () => {
  it('follows the bitrate by other encoders, which begin with key frames, no more than one in 2 s', async () => {
    const from = await fixture.open(configOf('av1', { bitrateBps: 2_000_000 }));
    using decoder = await VideoDecoder.open('av1');
    const sizes: number[] = [];
    const keyFrames: number[] = [];
    for (let index = 0; index < 300; index += 1) {
      if (index === 60) from.setBitrate(500_000);
      // Too soon after the last one: it waits until frame 120.
      if (index === 90) from.setBitrate(1_500_000);
      // Not worth an exchange.
      if (index === 200) from.setBitrate(1_600_000);
      const original = fixture.frame();
      fixture.input.push(original);
      const chunk = await fixture.readChunk(from);
      if (chunk.type === 'key') keyFrames.push(index);
      sizes.push(chunk.data.byteLength);
      const picture = await decoder.decode(chunk.data);
      expect(picture.key).toBe(chunk.type === 'key');
      expect(lumaPsnrDb(picture, original.data), `picture ${index}`).toBeGreaterThan(SOUND_PSNR_DB);
      chunk.release();
    }
    expect(keyFrames).toEqual([0, 60, 121]);
    const rates = [sizes.slice(30, 60), sizes.slice(75, 120), sizes.slice(180, 300)].map(rateBps);
    console.info(`AV1 at 2, 0.5 and 1.5 Mbit/s: ${rates.map((bps) => (bps / 1e6).toFixed(2)).join(', ')}`);
    expect((rates[0] ?? 0) / 2_000_000).toBeCloseTo(1, 0.3);
    expect((rates[1] ?? 0) / 500_000).toBeCloseTo(1, 0.3);
    expect((rates[2] ?? 0) / 1_500_000).toBeCloseTo(1, 0.3);
  });
});

describe('NodeAvEncoderFactory', () => {
  it('lists its codecs and refuses any other by naming them', async () => {
    expect(fixture.factory.codecs).toEqual(['vp8', 'vp9', 'h264', 'av1']);
    await expect(fixture.factory.open(configOf('hevc' as VideoCodec), fixture.input)).rejects.toMatchObject({
      code: 'CODEC_UNSUPPORTED',
      message: expect.stringContaining('vp8, vp9, h264, av1'),
    });
  });

  it('checks the config before native code', async () => {
    await expect(fixture.factory.open(configOf('vp8', { width: 7 }), fixture.input)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(fixture.factory.open(configOf('h264', { bitrateBps: 0 }), fixture.input)).rejects.toMatchObject({
      code: 'INVALID_BITRATE',
    });
  });

  it('reports what the encoder itself refuses as ENCODER_OPEN_FAILED with codec, size and cause', async () => {
    // VP8 codes a side in 14 bits.
    await expect(
      fixture.factory.open(configOf('vp8', { width: 16_384, height: 2 }), fixture.input),
    ).rejects.toMatchObject({
      code: 'ENCODER_OPEN_FAILED',
      message: expect.stringMatching(/libvpx.*16384x2.*cannot open/),
      context: { codec: 'vp8', width: 16_384, height: 2 },
      cause: expect.any(Error),
    });
  });

  it('holds the lowest bitrate of all without lifting the limit', async () => {
    const from = await fixture.open(configOf('h264', { bitrateBps: 1000 }));
    expect(Math.max(...(await fixture.encodeSizes(from, 10)))).toBeLessThan(15_000);
  });

  it('limits the burst after a still picture by the buffer of the bitrate in force, not of an earlier one', async () => {
    const from = await fixture.open(configOf('h264', { bitrateBps: 20_000_000 }));
    await fixture.encodeSizes(from, 10);
    from.setBitrate(500_000);
    const still = movingFrame(0);
    for (let index = 0; index < 60; index += 1) {
      fixture.input.push({ ...still, timestamp: fixture.nextIndex * 33_333 });
      fixture.nextIndex += 1;
      (await fixture.readChunk(from)).release();
    }
    // Half a second at the rate, and the buffer of 300 ms.
    const burstSeconds = (rateBps(await fixture.encodeSizes(from, 15)) * 0.5) / 500_000;
    expect(burstSeconds).toBeLessThan(0.8);
  });

  it('tells the quantizer where the encoder does', async () => {
    const from = await fixture.open(configOf('h264'));
    fixture.input.push(fixture.frame());
    const chunk = await fixture.readChunk(from);
    expect(chunk.quantizer).toBeGreaterThan(5);
    expect(chunk.quantizer).toBeLessThanOrEqual(51);
    chunk.release();
  });
});
