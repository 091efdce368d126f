import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AudioEncoder, AudioEncoderConfig } from '../../src/encoder/audio-encoder.js';
import type { AudioChannels, AudioSampleFormat, RawAudioData } from '../../src/encoder/audio-frame.js';
import { NodeAvAudioEncoderFactory } from '../../src/encoder/node-av/node-av-audio-encoder-factory.js';
import { OpusDecoder } from '../support/opus-decoder.js';
import { QueueInput } from '../support/queue-input.js';
import { amplitudeAt, dominantFrequencyHz, loudness, TONE_PEAK, Tone } from '../support/sound.js';

const FRAMES_PER_SECOND = 50;
/** Loudness of a tone. */
const TONE_RMS = TONE_PEAK / Math.SQRT2;

const CONFIG: AudioEncoderConfig = {
  codec: 'opus',
  format: 's16',
  sampleRate: 48_000,
  numberOfChannels: 1,
  bitrateBps: 32_000,
};

const factory = new NodeAvAudioEncoderFactory();
let input: QueueInput<RawAudioData>;
let encoder: AudioEncoder | undefined;

beforeEach(() => {
  input = new QueueInput();
});

afterEach(async () => {
  await encoder?.close();
  encoder = undefined;
});

async function open(changes: Partial<AudioEncoderConfig> = {}): Promise<AudioEncoder> {
  encoder = await factory.open({ ...CONFIG, ...changes }, input);
  return encoder;
}

/** Encodes so many frames and returns copies of the packets. */
async function encode(from: AudioEncoder, count: number, nextFrame: () => RawAudioData): Promise<Uint8Array[]> {
  const packets: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const frame = nextFrame();
    input.push(frame);
    const result = await from.read();
    if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
    expect(result.chunk.timestamp).toBe(frame.timestamp);
    packets.push(result.chunk.data.slice());
    result.chunk.release();
  }
  return packets;
}

/** What is heard on each channel. */
async function decode(packets: readonly Uint8Array[], channels: number): Promise<Float32Array[]> {
  using decoder = await OpusDecoder.open(channels);
  const heard: Float32Array[][] = Array.from({ length: channels }, () => []);
  for (const packet of packets) {
    for (const [channel, samples] of (await decoder.decode(packet)).entries()) heard[channel]?.push(samples);
  }
  return heard.map((parts) => Float32Array.from(parts.flatMap((part) => [...part])));
}

function rateBps(packets: readonly Uint8Array[]): number {
  return (packets.reduce((sum, { length }) => sum + length, 0) * 8 * FRAMES_PER_SECOND) / packets.length;
}

describe('node-av opus encoder', () => {
  it.each<[AudioChannels, AudioSampleFormat]>([
    [1, 's16'],
    [1, 'f32'],
    [2, 's16'],
    [2, 'f32'],
  ])('makes one packet of each frame of %d channels in %s, in which the tones are heard', async (channels, format) => {
    const from = await open({ numberOfChannels: channels, format });
    const frequenciesHz = [440, 660].slice(0, channels);
    const tone = new Tone({ frequenciesHz, format, startUs: 5 });
    const heard = await decode(await encode(from, 50, () => tone.next(960)), channels);
    for (const [channel, frequencyHz] of frequenciesHz.entries()) {
      const samples = heard[channel]?.subarray(9600) ?? [];
      expect(samples).toHaveLength(40 * 960);
      expect(dominantFrequencyHz(samples)).toBe(frequencyHz);
      expect(amplitudeAt(samples, frequencyHz)).toBeCloseTo(TONE_PEAK, 1);
    }
  });

  it('follows the bitrate down and up again, and the sound goes on', async () => {
    const from = await open({ bitrateBps: 32_000 });
    const tone = new Tone({ frequenciesHz: [440] });
    const noisy = () => withNoise(tone.next(960));
    const high = await encode(from, 100, noisy);
    from.setBitrate(12_000);
    const low = await encode(from, 100, noisy);
    from.setBitrate(32_000);
    const again = await encode(from, 100, noisy);
    for (const [packets, targetBps] of [
      [high, 32_000],
      [low, 12_000],
      [again, 32_000],
    ] as const) {
      expect(rateBps(packets.slice(10)) / targetBps).toBeGreaterThan(0.8);
      expect(rateBps(packets.slice(10)) / targetBps).toBeLessThan(1.1);
    }
    const [heard = new Float32Array()] = await decode([...high, ...low, ...again], 1);
    // In windows of one packet: a new encoder begins with silence of its look-ahead, 6.5 ms.
    for (let at = 9600; at < heard.length; at += 960) {
      expect(loudness(heard.subarray(at, at + 960)), `at ${at}`).toBeGreaterThan(0.5 * TONE_RMS);
    }
  });

  it('closes during a read: the read ends, its packet stays valid until released', async () => {
    const from = await open();
    input.push(new Tone({ frequenciesHz: [440] }).next(960));
    const reading = from.read();
    const closing = from.close();
    const result = await reading;
    if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
    expect((await decode([result.chunk.data], 1))[0]).toHaveLength(960);
    result.chunk.release();
    await closing;
    await expect(from.read()).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
  });

  it('survives 50 cycles of open, encode and close, in twos at a time', async () => {
    const cycle = async (): Promise<void> => {
      const own = new QueueInput<RawAudioData>();
      const from = await factory.open(CONFIG, own);
      own.push(new Tone({ frequenciesHz: [440] }).next(960));
      const reading = from.read();
      const closing = from.close();
      const result = await reading;
      if (result.kind === 'chunk') result.chunk.release();
      await closing;
    };
    for (let index = 0; index < 25; index += 1) await Promise.all([cycle(), cycle()]);
  });

  it('checks codec and config before native code', async () => {
    await expect(open({ codec: 'aac' as 'opus' })).rejects.toMatchObject({ code: 'CODEC_UNSUPPORTED' });
    await expect(open({ sampleRate: 44_100 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open({ bitrateBps: 1_000 })).rejects.toMatchObject({ code: 'INVALID_BITRATE' });
  });
});

/** Noise makes the encoder need what it is given. */
function withNoise(frame: RawAudioData): RawAudioData {
  const samples = new Int16Array(frame.data.slice().buffer);
  let noise = frame.timestamp + 1;
  const data = samples.map((sample) => {
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) | 0;
    return sample + (noise >> 20);
  });
  return { ...frame, data: new Uint8Array(data.buffer) };
}
