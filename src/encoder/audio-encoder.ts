import type { AudioChannels, AudioSampleFormat, RawAudioData } from './audio-frame.js';
import type { FrameInput, MediaEncoder } from './encoder.js';

/** Audio codecs by their short names. */
export type AudioCodec = 'opus';

/** What an audio encoder is opened with. */
export interface AudioEncoderConfig {
  readonly codec: AudioCodec;
  /** Format of every input frame. */
  readonly format: AudioSampleFormat;
  /** Sample rate of every input frame in Hz: 48000. */
  readonly sampleRate: number;
  /** Channels of every input frame. */
  readonly numberOfChannels: AudioChannels;
  /** Initial target in bits per second, 6000-256000. */
  readonly bitrateBps: number;
}

/** One encoded packet. `data` belongs to the encoder and is valid until `release()`, and not after. */
export interface EncodedAudioChunk {
  /** One Opus packet (RFC 6716 section 3). */
  readonly data: Uint8Array;
  /** Every packet of audio can be decoded without earlier ones. */
  readonly type: 'key';
  /** Capture time of the first sample in it, microseconds. */
  readonly timestamp: number;
  /** Gives the bytes back. Idempotent. Must be called before the next `read()`. */
  release(): void;
}

/**
 * A {@link MediaEncoder} of sound. Its input hands out frames of exactly `AUDIO_FRAME_SAMPLES`, and each becomes one packet: sound that
 * comes in other portions is cut to that size before (`PcmFramer`), where no swap of encoders can tear it.
 */
export interface AudioEncoder extends MediaEncoder<EncodedAudioChunk> {
  readonly config: Readonly<AudioEncoderConfig>;
}

/** Opens audio encoders; the sender knows nothing else about a back end. */
export interface AudioEncoderFactory {
  /** Name of the back end, for example `node-av`. */
  readonly name: string;
  /**
   * Opens an encoder that reads from `input`. Must not be called under a lock.
   *
   * @throws FramelockError CODEC_UNSUPPORTED, INVALID_ARGUMENT, INVALID_BITRATE, ENCODER_OPEN_FAILED
   */
  open(config: AudioEncoderConfig, input: FrameInput<RawAudioData>): Promise<AudioEncoder>;
}
