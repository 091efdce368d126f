import { afterEach, describe, expect, it } from 'vitest';
import type { AudioEncoderConfig } from '../../src/encoder/audio-encoder.js';
import { AUDIO_SAMPLE_RATES, type AudioSampleRate } from '../../src/encoder/audio-frame.js';
import { FfmpegAudioResampler } from '../../src/encoder/node-av/ffmpeg-audio-resampler.js';
import { amplitudeAt, channelOf, dominantFrequencyHz, TONE_PEAK, Tone } from '../support/sound.js';

const RATES = AUDIO_SAMPLE_RATES.filter((sampleRate) => sampleRate !== 48_000);

let resampler: FfmpegAudioResampler | undefined;

afterEach(() => {
  resampler?.free();
  resampler = undefined;
});

function open(sampleRate: AudioSampleRate, numberOfChannels: 1 | 2, format: 's16' | 'f32'): FfmpegAudioResampler {
  const config: AudioEncoderConfig = { codec: 'opus', format, sampleRate, numberOfChannels, bitrateBps: 32_000 };
  resampler = new FfmpegAudioResampler(config);
  return resampler;
}

function samplesOf(bytes: Uint8Array, format: 's16' | 'f32'): ArrayLike<number> {
  const { buffer } = bytes.slice();
  return format === 'f32' ? new Float32Array(buffer) : Float32Array.from(new Int16Array(buffer), (v) => v / 32_767);
}

/** A second of silence with one click. */
function click(sampleRate: number, atMs: number): Float32Array {
  const sound = new Float32Array(sampleRate);
  sound[Math.round((sampleRate * atMs) / 1000)] = 0.5;
  return sound;
}

function loudestOf(samples: ArrayLike<number>): number {
  const magnitudes = Array.from(samples, Math.abs);
  return magnitudes.indexOf(Math.max(...magnitudes));
}

describe('FfmpegAudioResampler', () => {
  it.each(RATES)('keeps a click at its time to 0.1 ms, given the delay that it tells, from %d Hz', (sampleRate) => {
    const own = open(sampleRate, 1, 'f32');
    const sound = click(sampleRate, 500);
    const heard: number[] = [];
    for (let at = 0; at < sampleRate; at += sampleRate / 50) {
      heard.push(
        ...Array.from(samplesOf(own.resample(new Uint8Array(sound.buffer, at * 4, sampleRate / 12.5)), 'f32')),
      );
    }
    expect(heard).toHaveLength(48_000);
    const heardMs = loudestOf(heard) / 48 - own.delayUs / 1000;
    expect(Math.abs(heardMs - 500)).toBeLessThan(0.1);
    expect(own.delayUs).toBeGreaterThan(0);
    expect(own.delayUs).toBeLessThanOrEqual(2000);
  });

  it.each(
    RATES.flatMap((rate) => [
      [rate, 1, 's16'] as const,
      [rate, 2, 's16'] as const,
      [rate, 1, 'f32'] as const,
      [rate, 2, 'f32'] as const,
    ]),
  )('keeps the tones of sound at %d Hz, %d channels in %s', (sampleRate, channels, format) => {
    const own = open(sampleRate, channels, format);
    const frequenciesHz = [440, 660].slice(0, channels);
    const tone = new Tone({ frequenciesHz, format, sampleRate });
    const heard: number[] = [];
    for (let frame = 0; frame < 10; frame += 1) {
      heard.push(...Array.from(samplesOf(own.resample(tone.next(sampleRate / 50).data), format)));
    }
    for (const [channel, frequencyHz] of frequenciesHz.entries()) {
      const samples = channelOf(heard, channel, channels).subarray(4800);
      expect(dominantFrequencyHz(samples)).toBe(frequencyHz);
      expect(amplitudeAt(samples, frequencyHz)).toBeCloseTo(TONE_PEAK, 2);
    }
  });

  it('lets nothing of what came before a restart be heard after it', () => {
    const own = open(8_000, 1, 's16');
    own.resample(new Tone({ frequenciesHz: [440], sampleRate: 8_000 }).next(160).data);
    const silence = new Uint8Array(320);
    expect(own.resample(silence).some((byte) => byte !== 0)).toBe(true);
    own.resample(new Tone({ frequenciesHz: [440], sampleRate: 8_000 }).next(160).data);
    own.restart();
    expect(own.resample(silence).every((byte) => byte === 0)).toBe(true);
  });

  it("tells in FFmpeg's words what it cannot do", () => {
    expect(() => open(0 as 8_000, 1, 's16')).toThrow(/resampl/);
  });
});
