import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { IsolatedEncoderFactory } from '../../src/encoder/isolation/isolated-encoder-factory.js';
import { loadCodecAddon } from '../../src/encoder/native-codecs/codec-addon.js';
import { NativeCodecEncoderFactory } from '../../src/encoder/native-codecs/native-codec-encoder-factory.js';
import { createSender } from '../../src/service/create-sender.js';
import { readBarCode } from '../../src/source/bar-code.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';
import { configOf, EncoderFixture, rateBps, SOUND_PSNR_DB } from '../support/encoder-fixture.js';
import { FakeNetwork } from '../support/fake-transport.js';
import { QueueInput } from '../support/queue-input.js';
import { lumaPsnrDb, VideoDecoder } from '../support/video-decoder.js';
import { itFollowsTheBitrate, itKeepsTheEncoderContract } from './encoder-contract.js';

const CODECS: readonly VideoCodec[] = ['vp8', 'vp9', 'av1'];

const factory = loaded();
const fixture = new EncoderFixture(factory);
const clock = new SystemClock();

function loaded(): NativeCodecEncoderFactory {
  const native = NativeCodecEncoderFactory.load();
  if (native === undefined) throw new Error(`the addon is not there: ${JSON.stringify(loadCodecAddon())}`);
  return native;
}

afterEach(() => {
  delete process.env['FRAMELOCK_NATIVE'];
});

itKeepsTheEncoderContract('native', fixture, CODECS);
itFollowsTheBitrate('native', fixture, CODECS);

describe.each(CODECS)('native %s encoder', (codec) => {
  it('makes no key frame unasked and no broken picture over steps of the target, and tells its quantizer', async () => {
    const from = await fixture.open(configOf(codec, { bitrateBps: 2_500_000 }));
    using decoder = await VideoDecoder.open(codec);
    const quantizers: number[] = [];
    for (let index = 0; index < 180; index += 1) {
      if (index === 60) from.setBitrate(500_000);
      if (index === 120) from.setBitrate(2_500_000);
      const original = fixture.frame();
      fixture.input.push(original);
      const chunk = await fixture.readChunk(from);
      expect(chunk.type, `chunk ${index}`).toBe(index === 0 ? 'key' : 'delta');
      quantizers.push(chunk.quantizer ?? Number.NaN);
      const picture = await decoder.decode(chunk.data);
      expect(lumaPsnrDb(picture, original.data), `picture ${index}`).toBeGreaterThan(20);
      chunk.release();
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(quantizers.slice(90, 120))).toBeGreaterThan(mean(quantizers.slice(30, 60)) + 5);
    expect(mean(quantizers.slice(90, 120))).toBeGreaterThan(mean(quantizers.slice(150)) + 5);
  });

  it('holds its target within a tenth over 2 s, with key frames on request that take no more than four average frames', async () => {
    const targetBps = 1_500_000;
    const from = await fixture.open(configOf(codec, { bitrateBps: targetBps }));
    const sizes: number[] = [];
    for (const requests of [0, 1, 2]) {
      if (requests > 0) from.forceKeyFrame();
      sizes.push(...(await fixture.encodeSizes(from, 60)));
    }
    expect(rateBps(sizes.slice(30, 90)) / targetBps).toBeCloseTo(1, 0.7);
    expect(rateBps(sizes.slice(90, 150)) / targetBps).toBeCloseTo(1, 0.7);
    expect(Math.max(...sizes)).toBeLessThan((4 * targetBps) / 8 / 30);
  });

  it('shows in every picture what changed in it: the bar code of that very frame', async () => {
    const size = { width: 640, height: 480 };
    const from = await fixture.open(configOf(codec, { ...size, bitrateBps: 700_000 }));
    using decoder = await VideoDecoder.open(codec);
    const renderer = TestPatternRenderer.create({ ...size, framerate: 30, label: 'front', cameraId: 3 });
    const data = new Uint8Array(renderer.sizeBytes);
    for (let index = 0; index < 90; index += 1) {
      const timestamp = 1_700_000_000_000_000 + index * 33_333;
      renderer.render(data, index, timestamp);
      fixture.input.push({ format: 'I420', codedWidth: 640, codedHeight: 480, data, timestamp });
      const chunk = await fixture.readChunk(from);
      const picture = await decoder.decode(chunk.data);
      chunk.release();
      expect(readBarCode(picture.data, 640, 480), `picture ${index}`).toMatchObject({ captureTimeUs: timestamp });
    }
  });

  it('sees a cut between scenes of the same brightness before it encodes it: no frame of more than four times the average', async () => {
    const size = { width: 640, height: 480 };
    const targetBps = 700_000;
    const from = await fixture.open(configOf(codec, { ...size, bitrateBps: targetBps }));
    const scenes = [4, 2].map((cameraId) =>
      TestPatternRenderer.create({ ...size, framerate: 30, label: 'CUT', cameraId }),
    );
    const data = new Uint8Array((640 * 480 * 3) / 2);
    for (let index = 0; index < 70; index += 1) {
      const timestamp = 1_700_000_000_000_000 + index * 33_333;
      scenes[index < 60 ? 0 : 1]?.render(data, index, timestamp);
      fixture.input.push({ format: 'I420', codedWidth: 640, codedHeight: 480, data, timestamp });
      const chunk = await fixture.readChunk(from);
      expect(chunk.type).toBe(index === 0 ? 'key' : 'delta');
      if (index >= 60) expect(chunk.data.byteLength, `frame ${index}`).toBeLessThan((4 * targetBps) / 8 / 30);
      chunk.release();
    }
  });

  it('bounds the first frame of a scene with far more detail than any before', async () => {
    const targetBps = 1_500_000;
    const from = await fixture.open(configOf(codec, { bitrateBps: targetBps }));
    const sizes: number[] = [];
    for (let index = 0; index < 50; index += 1) {
      const busy = fixture.frame();
      // The same picture with an eighth of its contrast.
      const plain = { ...busy, data: busy.data.map((level) => 112 + (level >> 3)) };
      fixture.input.push(index < 45 ? plain : busy);
      const chunk = await fixture.readChunk(from);
      sizes.push((chunk.data.byteLength * 8 * 30) / targetBps);
      chunk.release();
    }
    expect(sizes[45]).toBeGreaterThan(1);
    expect(Math.max(...sizes.slice(45))).toBeLessThan(4.5);
  });

  it('tells when even the coarsest quantizer is too fine for the target', async () => {
    const from = await fixture.open(configOf(codec, { bitrateBps: 30_000 }));
    let skipped = 0;
    for (let index = 0; index < 90; index += 1) {
      fixture.input.push(fixture.frame());
      const result = await from.read();
      if (result.kind === 'chunk') result.chunk.release();
      else skipped += 1;
    }
    expect(skipped).toBeGreaterThan(10);
    expect(from.limitation?.starvedUs).toBeGreaterThan(1_000_000);
    expect(fixture.releases).toHaveLength(90);
  });

  it('works in a process of its own', async () => {
    const input = new QueueInput();
    const encoder = await new IsolatedEncoderFactory({ clock, native: factory }).open(configOf(codec), input);
    try {
      expect(encoder.implementation).toMatch(/^lib(?:vpx|aom)-native \(isolated\)$/);
      using decoder = await VideoDecoder.open(codec);
      const original = fixture.frame();
      input.push(original);
      const result = await encoder.read();
      if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
      expect(lumaPsnrDb(await decoder.decode(result.chunk.data), original.data)).toBeGreaterThan(SOUND_PSNR_DB);
      result.chunk.release();
    } finally {
      await encoder.close();
    }
  });
});

describe('NativeCodecEncoderFactory', () => {
  it('lists its codecs and refuses any other by naming them', async () => {
    expect(factory.codecs).toEqual(['vp8', 'vp9', 'av1']);
    await expect(fixture.open(configOf('h264'))).rejects.toMatchObject({
      code: 'CODEC_UNSUPPORTED',
      message: expect.stringContaining('vp8, vp9, av1'),
    });
  });

  it('checks the config before native code, and reports what the library itself refuses', async () => {
    await expect(fixture.open(configOf('vp8', { width: 7 }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    // VP8 codes a side in 14 bits.
    await expect(fixture.open(configOf('vp8', { width: 16_384, height: 2 }))).rejects.toMatchObject({
      code: 'ENCODER_OPEN_FAILED',
      message: expect.stringMatching(/libvpx-native.*16384x2.*libvpx cannot open/),
      context: { codec: 'vp8', width: 16_384, height: 2 },
    });
  });

  it('is not there when it is switched off', () => {
    process.env['FRAMELOCK_NATIVE'] = '0';
    expect(NativeCodecEncoderFactory.load()).toBeUndefined();
  });
});

describe('a sender with the default back ends', () => {
  it.each([
    ['vp8', /^libvpx-native$/],
    ['vp9', /^libvpx-native$/],
    ['av1', /^libaom-native$/],
    ['h264', /^libx264$/],
  ] as const)('encodes %s with what suits it best', async (codec, implementation) => {
    const sender = createSender({ clock, transport: new FakeNetwork().factory });
    try {
      await sender.addVideoTrack({ id: 'front', codec, width: 320, height: 240 });
      await sender.connect(async () => 'answer');
      expect(sender.getTrackStats('front').encoderImplementation).toMatch(implementation);
    } finally {
      await sender.close();
    }
  });
});
