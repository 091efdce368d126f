import {
  AUDIO_SAMPLE_RATE,
  type AudioSampleFormat,
  type AudioSampleRate,
  type RawAudioData,
} from '../../src/encoder/audio-frame.js';

/** Peak of a {@link Tone}, of 1. */
export const TONE_PEAK = 0.25;

/** Options of a {@link Tone}. */
export interface ToneOptions {
  /** One frequency in Hz for each channel. */
  readonly frequenciesHz: readonly number[];
  /** @default 's16' */
  readonly format?: AudioSampleFormat;
  /** @default 48000 */
  readonly sampleRate?: AudioSampleRate;
  /** Capture time of the first sample. @default 0 */
  readonly startUs?: number;
}

/** Endless pure tones, one a channel, in portions of any length. */
export class Tone {
  readonly #frequenciesHz: readonly number[];
  readonly #format: AudioSampleFormat;
  readonly #sampleRate: AudioSampleRate;
  readonly #startUs: number;
  #position = 0;

  constructor({ frequenciesHz, format = 's16', sampleRate = AUDIO_SAMPLE_RATE, startUs = 0 }: ToneOptions) {
    this.#frequenciesHz = frequenciesHz;
    this.#format = format;
    this.#sampleRate = sampleRate;
    this.#startUs = startUs;
  }

  /** The next portion of so many samples a channel. */
  next(numberOfFrames: number): RawAudioData {
    const numberOfChannels = this.#frequenciesHz.length;
    const timestamp = this.#startUs + Math.round((this.#position * 1_000_000) / this.#sampleRate);
    const samples = Float32Array.from({ length: numberOfFrames * numberOfChannels }, (_, index) => {
      const seconds = (this.#position + Math.floor(index / numberOfChannels)) / this.#sampleRate;
      const frequencyHz = this.#frequenciesHz[index % numberOfChannels] ?? 0;
      return TONE_PEAK * Math.sin(2 * Math.PI * frequencyHz * seconds);
    });
    this.#position += numberOfFrames;
    const raw = this.#format === 'f32' ? samples : Int16Array.from(samples, (sample) => Math.round(sample * 32_767));
    return {
      format: this.#format,
      sampleRate: this.#sampleRate,
      numberOfChannels,
      numberOfFrames,
      data: new Uint8Array(raw.buffer),
      timestamp,
    };
  }
}

/** Samples of one channel of interleaved sound. */
export function channelOf(samples: ArrayLike<number>, channel: number, numberOfChannels: number): Float64Array {
  const length = Math.floor(samples.length / numberOfChannels);
  return Float64Array.from({ length }, (_, index) => samples[index * numberOfChannels + channel] ?? 0);
}

/** Amplitude of one frequency in a stretch of sound, by the algorithm of Goertzel. */
export function amplitudeAt(samples: ArrayLike<number>, frequencyHz: number): number {
  const omega = (2 * Math.PI * frequencyHz) / AUDIO_SAMPLE_RATE;
  const coefficient = 2 * Math.cos(omega);
  let previous = 0;
  let beforeThat = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const current = (samples[index] ?? 0) + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = current;
  }
  const power = previous ** 2 + beforeThat ** 2 - coefficient * previous * beforeThat;
  return (2 * Math.sqrt(Math.max(power, 0))) / samples.length;
}

/** The frequency from 100 to 2000 Hz, in steps of 10, that is loudest. */
export function dominantFrequencyHz(samples: ArrayLike<number>): number {
  const candidates = Array.from({ length: 191 }, (_, step) => 100 + step * 10);
  const amplitudes = candidates.map((frequencyHz) => amplitudeAt(samples, frequencyHz));
  return candidates[amplitudes.indexOf(Math.max(...amplitudes))] ?? 0;
}

/** Root mean square. */
export function loudness(samples: ArrayLike<number>): number {
  let squares = 0;
  for (let index = 0; index < samples.length; index += 1) squares += (samples[index] ?? 0) ** 2;
  return Math.sqrt(squares / samples.length);
}

/** Vowels by the middle frequencies of their first three formants, in Hz (Peterson and Barney 1952, men). */
const VOWELS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [300, 870, 2240],
  [530, 1840, 2480],
  [570, 840, 2410],
] as const;
const SYLLABLES_PER_SECOND = 4;

/** A buzz at the pitch of a man's voice through the resonances of one vowel after the other: what an encoder takes for speech. 48 kHz, s16. */
export function voice(numberOfFrames: number): Int16Array {
  const resonances = [0, 1, 2].map(() => ({ previous: 0, beforeThat: 0 }));
  let phase = 0;
  return Int16Array.from({ length: numberOfFrames }, (_, index) => {
    const seconds = index / AUDIO_SAMPLE_RATE;
    const syllable = seconds * SYLLABLES_PER_SECOND;
    const vowel = VOWELS[Math.floor(syllable) % VOWELS.length] ?? VOWELS[0];
    phase += (120 + 30 * Math.sin(4 * seconds)) / AUDIO_SAMPLE_RATE;
    const pulse = phase >= 1 ? 1 : 0;
    phase -= pulse;
    const sum = resonances.reduce((total, resonance, formant) => {
      const { previous, beforeThat } = resonance;
      const decay = Math.exp((-Math.PI * (60 + 40 * formant)) / AUDIO_SAMPLE_RATE);
      const turn = Math.cos((2 * Math.PI * (vowel[formant] ?? 0)) / AUDIO_SAMPLE_RATE);
      const value = pulse + 2 * decay * turn * previous - decay ** 2 * beforeThat;
      Object.assign(resonance, { previous: value, beforeThat: previous });
      return total + value * (1 - formant / 4);
    }, 0);
    const opening = Math.sqrt(Math.max(0, Math.sin(Math.PI * Math.min(1, (syllable % 1) / 0.8))));
    return Math.max(-32_768, Math.min(32_767, sum * opening * 360));
  });
}
