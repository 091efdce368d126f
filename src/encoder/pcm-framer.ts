import { AUDIO_FRAME_US, audioFrameSamples, type RawAudioData, sampleBytes } from './audio-frame.js';
import type { AudioFormat } from './validate-audio.js';

/**
 * Cuts sound that comes in portions of any length into the frames that encoders take: 20 ms each, at the rate at which it comes.
 *
 * A frame's capture time is that of its first sample. Within sound that continues it is counted in samples, not taken from each portion:
 * a receiver plays by these times and would hear their jitter as gaps. A portion whose own time is off the count by a frame or more does
 * not continue what came before (a pause, a loss, a clock that has drifted): the count starts anew with it, and what was left of a frame
 * is discarded.
 *
 * Pure; portions must have passed `validateAudioData`. Owner: the track.
 */
export class PcmFramer {
  readonly #format: AudioFormat;
  readonly #frameSamples: number;
  readonly #bytesPerSample: number;
  /** The frame that is being filled. */
  #data: Uint8Array;
  #filledBytes = 0;
  /** Capture time of its first sample. */
  #timestamp = Number.NEGATIVE_INFINITY;

  constructor(format: AudioFormat) {
    this.#format = format;
    this.#frameSamples = audioFrameSamples(format.sampleRate);
    this.#bytesPerSample = format.numberOfChannels * sampleBytes(format.format);
    this.#data = this.#emptyFrame();
  }

  /** Copies the portion and returns the frames that it completes. */
  push({ data, timestamp }: RawAudioData): readonly RawAudioData[] {
    if (Math.abs(timestamp - this.#expectedUs()) >= AUDIO_FRAME_US) {
      this.#timestamp = timestamp;
      this.#filledBytes = 0;
    }
    const frames: RawAudioData[] = [];
    let at = 0;
    while (at < data.length) {
      const part = data.subarray(at, at + this.#data.length - this.#filledBytes);
      this.#data.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      at += part.length;
      if (this.#filledBytes === this.#data.length) frames.push(this.#takeFrame());
    }
    return frames;
  }

  /** Capture time of the next sample, if it continues. */
  #expectedUs(): number {
    return this.#timestamp + (this.#filledBytes / this.#bytesPerSample) * (1_000_000 / this.#format.sampleRate);
  }

  #takeFrame(): RawAudioData {
    const frame = {
      ...this.#format,
      numberOfFrames: this.#frameSamples,
      data: this.#data,
      timestamp: this.#timestamp,
    };
    this.#data = this.#emptyFrame();
    this.#filledBytes = 0;
    this.#timestamp += AUDIO_FRAME_US;
    return frame;
  }

  #emptyFrame(): Uint8Array {
    return new Uint8Array(this.#frameSamples * this.#bytesPerSample);
  }
}
