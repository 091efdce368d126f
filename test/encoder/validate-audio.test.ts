import { describe, expect, it } from 'vitest';
import type { AudioEncoderConfig } from '../../src/encoder/audio-encoder.js';
import { AUDIO_SAMPLE_RATES, type RawAudioData } from '../../src/encoder/audio-frame.js';
import {
  MAX_AUDIO_BITRATE_BPS,
  MIN_AUDIO_BITRATE_BPS,
  validateAudioData,
  validateAudioEncoderConfig,
} from '../../src/encoder/validate-audio.js';
import { Tone } from '../support/sound.js';

const MONO: AudioEncoderConfig = {
  codec: 'opus',
  format: 's16',
  sampleRate: 48_000,
  numberOfChannels: 1,
  bitrateBps: 32_000,
};
const STEREO: AudioEncoderConfig = { ...MONO, format: 'f32', numberOfChannels: 2 };

/** 10 ms in stereo. */
function stereo(changes: Partial<RawAudioData> = {}): RawAudioData {
  return { ...new Tone({ frequenciesHz: [440, 660], format: 'f32' }).next(480), ...changes };
}

/** The same with one sample that is no number, at an odd address. */
function withSample(value: number): Uint8Array {
  const bytes = new Uint8Array(480 * 8 + 1).subarray(1);
  new DataView(bytes.buffer, bytes.byteOffset).setFloat32(480 * 8 - 4, value, true);
  return bytes;
}

describe('validateAudioData', () => {
  it.each([120, 480, 960, 1024, 5760])('accepts mono and stereo, s16 and f32, in portions of %d samples', (samples) => {
    for (const format of ['s16', 'f32'] as const) {
      validateAudioData(new Tone({ frequenciesHz: [440], format }).next(samples), { ...MONO, format });
      validateAudioData(new Tone({ frequenciesHz: [440, 660], format }).next(samples), { ...STEREO, format });
    }
  });

  it.each(
    AUDIO_SAMPLE_RATES.map((sampleRate) => [sampleRate, Math.ceil(sampleRate / 400), Math.floor(sampleRate * 0.12)]),
  )('accepts sound at %d Hz of %d to %d samples, which are 2.5 to 120 ms, and no other', (rate, least, most) => {
    const config = { ...MONO, sampleRate: rate as 8000 };
    const check = (samples: number) => () => {
      validateAudioData(new Tone({ frequenciesHz: [440], sampleRate: config.sampleRate }).next(samples), config);
    };
    check(least)();
    check(most)();
    for (const samples of [least - 1, most + 1]) {
      expect(check(samples)).toThrow(expect.objectContaining({ code: 'INVALID_FRAME' }));
    }
  });

  it('accepts samples at an odd address, and such that are louder than 1', () => {
    validateAudioData(stereo({ data: withSample(1.5) }), STEREO);
  });

  it.each<[string, Partial<RawAudioData>, RegExp]>([
    ['another format', { format: 's16' }, /s16, expected f32/],
    ['an unknown format', { format: 'u8' as 's16' }, /u8, expected f32/],
    ['another sample rate, naming that of the track', { sampleRate: 44_100 }, /44100 Hz, expected 48000/],
    ['no sample rate', { sampleRate: Number.NaN }, /NaN Hz/],
    ['one channel in place of two', { numberOfChannels: 1 }, /1 channels, expected 2/],
    ['less than 2.5 ms', { numberOfFrames: 119 }, /119, accepted are 120 to 5760/],
    ['more than 120 ms', { numberOfFrames: 5761 }, /5761, accepted/],
    ['a length that is not a number', { numberOfFrames: Number.NaN }, /NaN, accepted/],
    ['a fractional length', { numberOfFrames: 480.5 }, /480.5, accepted/],
    ['a byte too few', { data: new Uint8Array(480 * 8 - 1) }, /3839 bytes.*take 3840/],
    ['a byte too many', { data: new Uint8Array(480 * 8 + 1) }, /3841 bytes.*take 3840/],
    ['data that was transferred away', { data: new Uint8Array(0) }, /0 bytes/],
    ['data that is no Uint8Array', { data: new Float32Array(960) as unknown as Uint8Array }, /not a Uint8Array/],
    ['a sample that is not a number', { data: withSample(Number.NaN) }, /not a number/],
    ['an infinite sample', { data: withSample(Number.NEGATIVE_INFINITY) }, /infinite/],
    ['a negative timestamp', { timestamp: -1 }, /timestamp -1/],
    ['a fractional timestamp', { timestamp: 0.5 }, /timestamp 0.5/],
  ])('refuses %s', (_, changes, message) => {
    expect(() => validateAudioData(stereo(changes), STEREO)).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME', message: expect.stringMatching(message) }),
    );
  });
});

describe('validateAudioEncoderConfig', () => {
  it.each(AUDIO_SAMPLE_RATES)('accepts %d Hz, with and without dtx', (sampleRate) => {
    for (const dtx of [false, true]) validateAudioEncoderConfig({ ...MONO, sampleRate, dtx, expectedLoss: 0.2 });
  });

  it('accepts mono and stereo at both ends of the bitrate', () => {
    validateAudioEncoderConfig({ ...MONO, bitrateBps: MIN_AUDIO_BITRATE_BPS });
    validateAudioEncoderConfig({ ...STEREO, bitrateBps: MAX_AUDIO_BITRATE_BPS });
  });

  it.each<[string, Partial<AudioEncoderConfig>]>([
    ['format', { format: 's32' as 's16' }],
    ['sampleRate', { sampleRate: 22_050 as 24_000 }],
    ['sampleRate', { sampleRate: Number.NaN as 24_000 }],
    ['expectedLoss', { expectedLoss: 1.01 }],
    ['expectedLoss', { expectedLoss: Number.NaN }],
    ['dtx', { dtx: 1 as unknown as boolean }],
    ['numberOfChannels', { numberOfChannels: 3 as 2 }],
    ['numberOfChannels', { numberOfChannels: Number.NaN as 1 }],
  ])('refuses a bad %s by name', (field, changes) => {
    expect(() => validateAudioEncoderConfig({ ...MONO, ...changes })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', context: { field, codec: 'opus' } }),
    );
  });

  it.each([5_999, 256_001, 0, Number.NaN, Number.POSITIVE_INFINITY])('refuses a bitrate of %s', (bitrateBps) => {
    expect(() => validateAudioEncoderConfig({ ...MONO, bitrateBps })).toThrow(
      expect.objectContaining({ code: 'INVALID_BITRATE' }),
    );
  });
});
