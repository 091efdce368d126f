/** Sample formats accepted as input, by their WebCodecs names: interleaved, in little-endian byte order. */
export type AudioSampleFormat = 's16' | 'f32';

/** Numbers of channels accepted as input: mono and stereo. */
export type AudioChannels = 1 | 2;

/** Sample rates accepted as input, in Hz: those of Opus, and the two that sound cards have besides. */
export const AUDIO_SAMPLE_RATES = [8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000] as const;

/** A sample rate accepted as input, in Hz. */
export type AudioSampleRate = (typeof AUDIO_SAMPLE_RATES)[number];

/** The sample rate at which sound is encoded, in Hz; any other is resampled to it. */
export const AUDIO_SAMPLE_RATE = 48_000;

/** Samples a channel in one Opus packet: 20 ms, the default of RFC 7587 section 4.2. */
export const AUDIO_FRAME_SAMPLES = 960;

/** The same in microseconds. */
export const AUDIO_FRAME_US = 20_000;

/** A piece of raw sound, by the names of the WebCodecs `AudioData`. */
export interface RawAudioData {
  readonly format: AudioSampleFormat;
  /** In Hz. */
  readonly sampleRate: number;
  readonly numberOfChannels: number;
  /** Samples in each channel. */
  readonly numberOfFrames: number;
  /** The samples, interleaved: exactly `numberOfFrames * numberOfChannels` of them. f32 samples range from -1 to 1. */
  readonly data: Uint8Array;
  /** Capture time of the first sample in microseconds on the time base of `Clock.nowUs`. */
  readonly timestamp: number;
}

/** Samples a channel in 20 ms at a rate of {@link AUDIO_SAMPLE_RATES}: a whole number at each of them. */
export function audioFrameSamples(sampleRate: number): number {
  return (sampleRate * AUDIO_FRAME_US) / 1_000_000;
}

/** Bytes of one sample of one channel. */
export function sampleBytes(format: AudioSampleFormat): number {
  return format === 's16' ? 2 : 4;
}
