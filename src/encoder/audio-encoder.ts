import type { AudioChannels, AudioSampleFormat, AudioSampleRate, RawAudioData } from './audio-frame.js';
import type { FrameInput, MediaEncoder } from './encoder.js';

/** Audio codecs by their short names. */
export type AudioCodec = 'opus';

/** What an audio encoder is opened with. */
export interface AudioEncoderConfig {
  readonly codec: AudioCodec;
  /** Format of every input frame. */
  readonly format: AudioSampleFormat;
  /** Sample rate of every input frame in Hz. The encoder resamples to 48 kHz what comes at another. */
  readonly sampleRate: AudioSampleRate;
  /** Channels of every input frame. */
  readonly numberOfChannels: AudioChannels;
  /** Initial target in bits per second, 6000-256000. */
  readonly bitrateBps: number;
  /**
   * Share of packets, 0-1, whose loss in-band FEC shall prepare for at first. FEC is a part of the speech mode of Opus (RFC 6716 section 2.1.7):
   * with a voice in mono, 32 kbit/s and every fifth packet lost, libwebrtc got back four in five of those; noise, which is coded in the other
   * mode, one in nine. @default 0.05
   */
  readonly expectedLoss?: number;
  /** Whether silence is left out (discontinuous transmission): such frames are `skipped`, for `silence`. @default false */
  readonly dtx?: boolean;
}

/** One encoded packet. `data` belongs to the encoder and is valid until `release()`, and not after. */
export interface EncodedAudioChunk {
  /** One Opus packet (RFC 6716 section 3). */
  readonly data: Uint8Array;
  /** Every packet of audio can be decoded without earlier ones. */
  readonly type: 'key';
  /**
   * Capture time of the first sample in it, microseconds. Resampling looks ahead, so at another rate than 48 kHz it is up to 2 ms before
   * that of the frame, by the same time in every chunk.
   */
  readonly timestamp: number;
  /** Gives the bytes back. Idempotent. Must be called before the next `read()`. */
  release(): void;
}

/**
 * A {@link MediaEncoder} of sound. Its input hands out frames of exactly 20 ms, and each becomes one packet, or is skipped as silence: sound
 * that comes in other portions is cut to that size before (`PcmFramer`), where no swap of encoders can tear it.
 */
export interface AudioEncoder extends MediaEncoder<EncodedAudioChunk> {
  readonly config: Readonly<AudioEncoderConfig>;
  /** Latches the share of packets, 0-1, whose loss in-band FEC shall prepare for, where there is such. No-op after `close()`. */
  setExpectedLoss?(fraction: number): void;
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
