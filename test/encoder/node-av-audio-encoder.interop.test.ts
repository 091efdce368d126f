import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AudioEncoder, AudioEncoderConfig } from '../../src/encoder/audio-encoder.js';
import {
  AUDIO_SAMPLE_RATES,
  type AudioChannels,
  type AudioSampleFormat,
  type AudioSampleRate,
  type RawAudioData,
} from '../../src/encoder/audio-frame.js';
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
    if (from.config.sampleRate === 48_000) expect(result.chunk.timestamp).toBe(frame.timestamp);
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
    await expect(open({ sampleRate: 22_050 as AudioSampleRate })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open({ bitrateBps: 1_000 })).rejects.toMatchObject({ code: 'INVALID_BITRATE' });
  });
});

describe('node-av opus encoder of sound at other rates', () => {
  it.each(AUDIO_SAMPLE_RATES)(
    'keeps the time of a burst captured at %d Hz to 1 ms, as it was at 48 kHz',
    async (rate) => {
      expect(Math.abs((await heardBurstUs(rate)) - (await heardBurstUs(48_000)))).toBeLessThan(1000);
    },
  );

  it.each<[AudioSampleRate, AudioChannels]>([
    [8_000, 1],
    [16_000, 2],
    [44_100, 2],
  ])('lets the tones of %d Hz, %d channels be heard', async (sampleRate, numberOfChannels) => {
    const from = await open({ sampleRate, numberOfChannels });
    const frequenciesHz = [440, 660].slice(0, numberOfChannels);
    const tone = new Tone({ frequenciesHz, sampleRate });
    const heard = await decode(await encode(from, 50, () => tone.next(sampleRate / 50)), numberOfChannels);
    for (const [channel, frequencyHz] of frequenciesHz.entries()) {
      const samples = heard[channel]?.subarray(9600) ?? [];
      expect(dominantFrequencyHz(samples)).toBe(frequencyHz);
      expect(amplitudeAt(samples, frequencyHz)).toBeCloseTo(TONE_PEAK, 1);
    }
  });

  it('survives 20 cycles of open, encode and close with a read in flight', async () => {
    for (let index = 0; index < 20; index += 1) {
      const own = new QueueInput<RawAudioData>();
      const from = await factory.open({ ...CONFIG, sampleRate: 44_100 }, own);
      own.push(new Tone({ frequenciesHz: [440], sampleRate: 44_100 }).next(882));
      const reading = from.read();
      const closing = from.close();
      const result = await reading;
      if (result.kind === 'chunk') result.chunk.release();
      await closing;
    }
  });

  /** When a burst that was captured at 400 ms is heard, by the capture times of the packets. */
  async function heardBurstUs(sampleRate: AudioSampleRate): Promise<number> {
    const from = await factory.open({ ...CONFIG, sampleRate, bitrateBps: 128_000 }, input);
    using decoder = await OpusDecoder.open(1);
    const loudest = { level: 0, atUs: 0 };
    for (let index = 0; index < 40; index += 1) {
      input.push(burstFrame(sampleRate, index));
      const result = await from.read();
      if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
      const { timestamp, data } = result.chunk;
      const [samples = new Float32Array()] = await decoder.decode(data);
      result.chunk.release();
      for (const [at, sample] of samples.entries()) {
        if (Math.abs(sample) > loudest.level) {
          loudest.level = Math.abs(sample);
          loudest.atUs = timestamp + (at * 1e6) / 48_000;
        }
      }
    }
    await from.close();
    expect(loudest.level).toBeGreaterThan(0.1);
    return loudest.atUs;
  }
});

/** Silence with one hump of 1 ms at 400 ms, which any of the rates can carry. */
function burstFrame(sampleRate: AudioSampleRate, index: number): RawAudioData {
  const numberOfFrames = sampleRate / 50;
  const samples = Int16Array.from({ length: numberOfFrames }, (_, at) => {
    const offMs = index * 20 + (at * 1000) / sampleRate - 400;
    return Math.round(20_000 * Math.exp(-((offMs / 0.3) ** 2)));
  });
  const data = new Uint8Array(samples.buffer);
  return {
    format: 's16',
    sampleRate,
    numberOfChannels: 1,
    numberOfFrames,
    data,
    timestamp: 1_000_000 + index * 20_000,
  };
}

describe('node-av opus encoder with dtx', () => {
  /** Speech-like sound for 0.6 s, silence for 2 s, sound for 0.6 s: how many frames of each became packets. */
  async function sent(changes: Partial<AudioEncoderConfig>): Promise<readonly number[]> {
    const from = await open(changes);
    const { numberOfChannels } = from.config;
    const counts = [0, 0, 0];
    for (let index = 0; index < 160; index += 1) {
      const part = index < 30 ? 0 : index < 130 ? 1 : 2;
      input.push(voice({ index, numberOfChannels, loud: part !== 1 }));
      const result = await from.read();
      if (result.kind === 'chunk') {
        counts[part] = (counts[part] ?? 0) + 1;
        result.chunk.release();
      } else expect(result).toEqual({ kind: 'skipped', timestamp: index * 20_000, reason: 'silence' });
    }
    return counts;
  }

  it.each([1, 2] as const)(
    'makes few packets of silence in %d channels, and all of sound',
    async (numberOfChannels) => {
      const [before, silence = 100, after] = await sent({ dtx: true, numberOfChannels });
      expect([before, after]).toEqual([30, 30]);
      // 200 ms until it is sure, then one every 400 ms, and one without sound after each.
      expect(silence).toBeLessThan(30);
      expect(silence).toBeGreaterThan(10);
    },
  );

  it('makes a packet of every frame without it', async () => {
    expect(await sent({})).toEqual([30, 100, 30]);
  });
});

describe('in-band FEC', () => {
  /** Share of the packets of speech-like sound that carry a copy of the one before. */
  async function withCopy(changes: Partial<AudioEncoderConfig>): Promise<number> {
    const from = await open(changes);
    let index = 0;
    const packets = await encode(from, 100, () => {
      index += 1;
      return voice({ index, numberOfChannels: 1, loud: true });
    });
    return packets.filter(carriesCopy).length / packets.length;
  }

  it('adds a copy of the one before to most packets of speech, at the bitrate that a microphone has by default', async () => {
    expect(await withCopy({ bitrateBps: 32_000 })).toBeGreaterThan(0.5);
  });

  it('is left out where no loss is expected', async () => {
    expect(await withCopy({ bitrateBps: 32_000, expectedLoss: 0 })).toBe(0);
  });

  it('is added at a lower bitrate when the expected loss rises on the way', async () => {
    const from = await open({ bitrateBps: 20_000 });
    let index = 0;
    const next = () => {
      index += 1;
      return voice({ index, numberOfChannels: 1, loud: true });
    };
    const before = await encode(from, 100, next);
    from.setExpectedLoss?.(0.2);
    const after = await encode(from, 100, next);
    const share = (packets: readonly Uint8Array[]) => packets.filter(carriesCopy).length / packets.length;
    expect(share(after)).toBeGreaterThan(share(before));
    expect(share(after)).toBeGreaterThan(0.5);
  });
});

/**
 * Whether a mono packet of 20 ms has an LBRR frame (RFC 6716 sections 3.1 and 4.2.3): in the modes with SILK, which are the configurations
 * below 16, the second bit behind the TOC byte tells; the first one is voice activity.
 */
function carriesCopy(packet: Uint8Array): boolean {
  const [toc = 0xff, flags = 0] = packet;
  return toc >> 3 < 16 && (flags & 0x40) !== 0;
}

/** A frame of something like a voice, 20 harmonics of 130 Hz that swell four times a second, or silence. */
function voice(options: { index: number; numberOfChannels: AudioChannels; loud: boolean }): RawAudioData {
  const { index, numberOfChannels, loud } = options;
  const samples = Int16Array.from({ length: 960 * numberOfChannels }, (_, at) => {
    const seconds = (index * 960 + Math.floor(at / numberOfChannels)) / 48_000;
    const swell = 0.5 + 0.5 * Math.sin(2 * Math.PI * 4 * seconds);
    let sum = 0;
    for (let harmonic = 1; harmonic <= 20; harmonic += 1) {
      sum += Math.sin(2 * Math.PI * 130 * harmonic * seconds) / harmonic;
    }
    return loud ? Math.round(5000 * swell * sum) : 0;
  });
  const data = new Uint8Array(samples.buffer);
  return {
    format: 's16',
    sampleRate: 48_000,
    numberOfChannels,
    numberOfFrames: 960,
    data,
    timestamp: index * 20_000,
  };
}

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
