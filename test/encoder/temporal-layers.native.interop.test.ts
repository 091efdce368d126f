import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { FallbackEncoderFactory } from '../../src/encoder/fallback-encoder-factory.js';
import { IsolatedEncoderFactory } from '../../src/encoder/isolation/isolated-encoder-factory.js';
import { NativeCodecEncoderFactory } from '../../src/encoder/native-codecs/native-codec-encoder-factory.js';
import { NodeAvEncoderFactory } from '../../src/encoder/node-av/node-av-encoder-factory.js';
import { readBarCode } from '../../src/source/bar-code.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';
import { configOf, EncoderFixture, rateBps } from '../support/encoder-fixture.js';
import { QueueInput } from '../support/queue-input.js';
import { VideoDecoder } from '../support/video-decoder.js';

const SIZE = { width: 320, height: 240 };
const START_US = 1_700_000_000_000_000;
const FRAME_US = 33_333;

const native = NativeCodecEncoderFactory.load();
if (native === undefined) throw new Error('the addon is not there');
const fixture = new EncoderFixture(native);
const clock = new SystemClock();

/** One chunk, copied. */
interface Layered {
  readonly data: Uint8Array;
  readonly key: boolean;
  readonly temporalLayerId: number | undefined;
  readonly timestamp: number;
}

/** Chunks of the test pattern, each of whose pictures tells its own time. */
async function encode(
  codec: 'vp8' | 'vp9',
  scalabilityMode: 'L1T2' | 'L1T3',
  count: number,
  keyFrameAt = Number.NaN,
): Promise<Layered[]> {
  const from = await fixture.open(configOf(codec, { ...SIZE, bitrateBps: 300_000, scalabilityMode }));
  const renderer = TestPatternRenderer.create({ ...SIZE, framerate: 30, label: 'front', cameraId: 3 });
  const data = new Uint8Array(renderer.sizeBytes);
  const chunks: Layered[] = [];
  for (let index = 0; index < count; index += 1) {
    const timestamp = START_US + index * FRAME_US;
    renderer.render(data, index, timestamp);
    fixture.input.push({ format: 'I420', codedWidth: SIZE.width, codedHeight: SIZE.height, data, timestamp });
    if (index === keyFrameAt) from.forceKeyFrame();
    const chunk = await fixture.readChunk(from);
    const temporalLayerId = chunk.svc?.temporalLayerId;
    chunks.push({ data: chunk.data.slice(), key: chunk.type === 'key', temporalLayerId, timestamp });
    chunk.release();
  }
  return chunks;
}

/** Decodes what a receiver is left with: each picture must be byte for byte the one that it is where nothing was left out. */
async function expectSound(codec: 'vp8' | 'vp9', all: readonly Layered[], isKept: (chunk: Layered) => boolean) {
  using whole = await VideoDecoder.open(codec);
  using partial = await VideoDecoder.open(codec);
  for (const chunk of all) {
    const expected = await whole.decode(chunk.data);
    if (!isKept(chunk)) continue;
    const picture = await partial.decode(chunk.data);
    const { captureTimeUs } = readBarCode(picture.data, SIZE.width, SIZE.height) ?? {};
    expect(captureTimeUs).toBe(chunk.timestamp);
    expect(Buffer.compare(picture.data, expected.data), `picture of layer ${chunk.temporalLayerId}`).toBe(0);
  }
}

describe.each(['vp8', 'vp9'] as const)('temporal layers of %s', (codec) => {
  it.each([
    ['L1T2', [0, 1, 0, 1, 0, 1, 0, 0, 1, 0]],
    ['L1T3', [0, 2, 1, 2, 0, 2, 1, 0, 2, 1]],
  ] as const)('follow the pattern of %s, from each key frame anew', async (mode, layers) => {
    const chunks = await encode(codec, mode, layers.length, 7);
    expect(chunks.map(({ temporalLayerId }) => temporalLayerId)).toEqual(layers);
    expect(chunks.flatMap(({ key }, index) => (key ? [index] : []))).toEqual([0, 7]);
  });

  it.each(['L1T2', 'L1T3'] as const)(
    'of %s leave the same pictures, whichever upper frames are left out',
    async (mode) => {
      const chunks = await encode(codec, mode, 60, 33);
      for (const highest of [0, 1])
        await expectSound(codec, chunks, ({ temporalLayerId = 9 }) => temporalLayerId <= highest);
      // Any of them: by the bits of a fixed number, over and over.
      for (const bits of [0b1011001, 0b0100110, 0b1110000]) {
        let upper = 0;
        await expectSound(codec, chunks, ({ temporalLayerId }) => {
          if (temporalLayerId === 0) return true;
          upper += 1;
          return ((bits >> (upper % 7)) & 1) === 1;
        });
      }
    },
  );

  it('keep a cut that falls on an upper frame: it takes no more than elsewhere, and only once', async () => {
    const size = { width: 640, height: 480 };
    const targetBps = 700_000;
    const from = await fixture.open(configOf(codec, { ...size, bitrateBps: targetBps, scalabilityMode: 'L1T3' }));
    const scenes = [4, 2].map((cameraId) =>
      TestPatternRenderer.create({ ...size, framerate: 30, label: 'CUT', cameraId }),
    );
    const data = new Uint8Array((640 * 480 * 3) / 2);
    const layers: (number | undefined)[] = [];
    const sizes: number[] = [];
    for (let index = 0; index < 70; index += 1) {
      const timestamp = START_US + index * FRAME_US;
      scenes[index < 61 ? 0 : 1]?.render(data, index, timestamp);
      fixture.input.push({ format: 'I420', codedWidth: 640, codedHeight: 480, data, timestamp });
      const chunk = await fixture.readChunk(from);
      layers.push(chunk.svc?.temporalLayerId);
      sizes.push((chunk.data.byteLength * 8 * 30) / targetBps);
      chunk.release();
    }
    expect(layers.slice(60, 66)).toEqual([0, 0, 2, 1, 2, 0]);
    expect(Math.max(...sizes.slice(61))).toBeLessThan(4.5);
    expect(sizes.slice(61).filter((averageFrames) => averageFrames > 2).length).toBeLessThanOrEqual(1);
  });

  it('hold the target together, and give layer 0 most of it', async () => {
    const targetBps = 1_500_000;
    const from = await fixture.open(configOf(codec, { bitrateBps: targetBps, scalabilityMode: 'L1T3' }));
    const sizes = await fixture.encodeSizes(from, 120);
    const settled = sizes.slice(40);
    const base = settled.filter((_size, index) => index % 4 === 0);
    expect(rateBps(settled) / targetBps).toBeCloseTo(1, 0.7);
    const baseShare = rateBps(base) / rateBps(settled) / 4;
    expect(baseShare).toBeGreaterThan(0.4);
    expect(baseShare).toBeLessThan(0.7);
  });
});

describe('temporal layers', () => {
  const layered = configOf('vp8', { ...SIZE, scalabilityMode: 'L1T2' });

  it('come from the first back end that has them, and no other is blamed', async () => {
    const fallback = new FallbackEncoderFactory([new NodeAvEncoderFactory(), native], { clock });
    const encoder = await fallback.open(layered, new QueueInput());
    expect(encoder.implementation).toBe('libvpx-native');
    await encoder.close();
    const plain = await fallback.open(configOf('vp8', SIZE), new QueueInput());
    expect(plain.implementation).toBe('libvpx');
    await plain.close();
  });

  it('are told from a process of its own too', async () => {
    const input = new QueueInput();
    const encoder = await new IsolatedEncoderFactory({ clock, native }).open(layered, input);
    try {
      const layers: (number | undefined)[] = [];
      for (let index = 0; index < 3; index += 1) {
        input.push(fixture.frame(SIZE));
        const result = await encoder.read();
        if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
        layers.push(result.chunk.svc?.temporalLayerId);
        result.chunk.release();
      }
      expect(layers).toEqual([0, 1, 0]);
    } finally {
      await encoder.close();
    }
  });

  it('are refused from a process of its own by the same words', async () => {
    await expect(new IsolatedEncoderFactory({ clock }).open(layered, new QueueInput())).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      message: expect.stringContaining('node-av'),
    });
  });

  it.each(['av1', 'h264'] as const)('of %s are refused before anything is opened', async (codec) => {
    await expect(fixture.open(configOf(codec, { scalabilityMode: 'L1T3' }))).rejects.toMatchObject({
      code: codec === 'av1' ? 'NOT_SUPPORTED' : 'CODEC_UNSUPPORTED',
    });
  });
});
