import { SoftwareResampleContext } from 'node-av/lib';
import type { AudioEncoderConfig } from '../audio-encoder.js';
import { AUDIO_FRAME_SAMPLES, AUDIO_SAMPLE_RATE, audioFrameSamples, sampleBytes } from '../audio-frame.js';
import type { NativeAudioResampler } from '../native-audio-resampler.js';
import { channelLayoutOf, FFMPEG_SAMPLE_FORMATS } from './ffmpeg-audio-format.js';
import { check } from './ffmpeg-check.js';

/**
 * FFmpeg's resampler, libswresample. It runs on the JavaScript thread: 20 ms of sound take some 50 us, no longer than the hop to another
 * thread and back, and a call that is over when it returns can meet neither another call nor the freeing.
 *
 * Its output is exact in time: sample n of the output is the sound at n / 48000 s of the input. But the last millisecond or two are held
 * back until what follows is known. One frame of silence goes ahead of the sound: its output is too short by what is held back, and all
 * others have 20 ms. A frame is longer than the filter, so that one of silence is also all that it takes to forget what came before.
 */
export class FfmpegAudioResampler implements NativeAudioResampler {
  readonly delayUs: number;
  readonly #context = new SoftwareResampleContext();
  readonly #inputSamples: number;
  readonly #silence: Buffer;
  readonly #output: Buffer;

  /** Throws an error with FFmpeg's text, leaving nothing native behind. */
  constructor({ format, sampleRate, numberOfChannels }: AudioEncoderConfig) {
    const bytesPerSample = numberOfChannels * sampleBytes(format);
    this.#inputSamples = audioFrameSamples(sampleRate);
    this.#silence = Buffer.alloc(this.#inputSamples * bytesPerSample);
    this.#output = Buffer.alloc(AUDIO_FRAME_SAMPLES * bytesPerSample);
    const layout = channelLayoutOf(numberOfChannels);
    const sampleFormat = FFMPEG_SAMPLE_FORMATS[format];
    try {
      check(
        this.#context.allocSetOpts2(layout, sampleFormat, AUDIO_SAMPLE_RATE, layout, sampleFormat, sampleRate),
        `set up resampling from ${sampleRate} Hz`,
      );
      check(this.#context.init(), 'start the resampler');
      const heldBack = AUDIO_FRAME_SAMPLES - this.#convert(this.#silence);
      this.delayUs = Math.round((heldBack * 1_000_000) / AUDIO_SAMPLE_RATE);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  resample(samples: Uint8Array): Uint8Array {
    const count = this.#convert(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
    if (count !== AUDIO_FRAME_SAMPLES) throw new Error(`20 ms of sound were resampled to ${count} samples`);
    return this.#output;
  }

  restart(): void {
    this.#convert(this.#silence);
  }

  free(): void {
    this.#context.free();
  }

  #convert(samples: Buffer): number {
    const count = this.#context.convertSync([this.#output], AUDIO_FRAME_SAMPLES, [samples], this.#inputSamples);
    check(count, 'resample');
    return count;
  }
}
