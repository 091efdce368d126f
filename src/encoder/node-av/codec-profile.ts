import type { FFEncoderCodec } from 'node-av/constants';
import type { VideoCodec, VideoEncoderConfig } from '../encoder.js';
import type { RateControl } from '../rate-control.js';
import type { VideoPixelFormat } from '../video-frame.js';
import type { HardwareMemory } from './hardware-upload.js';

/** How one codec is encoded with FFmpeg: everything that differs between codecs, and nothing else. */
export interface CodecProfile {
  readonly codec: VideoCodec;
  /** FFmpeg's name of the encoder. */
  readonly encoderName: FFEncoderCodec;
  /** Pixel formats that the encoder takes as they are; any other, and what is scaled, is converted to the first. */
  readonly inputFormats: readonly VideoPixelFormat[];
  /** Whether an open encoder keeps its bitrate for life: a new bitrate means a new encoder. @default false */
  readonly keepsBitrate?: boolean;
  /** Whether an encoder must be told that the stream has ended before it is freed. @default false */
  readonly needsEndOfStream?: boolean;
  /** Memory that the encoder takes its pictures from, if not the ordinary one; `inputFormats` is then NV12. */
  readonly memory?: HardwareMemory;
  /** FFmpeg options, set before the encoder is opened; an unknown one fails the opening. */
  options(config: VideoEncoderConfig): Readonly<Record<string, string | number>>;
  createRateControl(config: VideoEncoderConfig): RateControl;
}

/** A distance between key frames that is never reached: a year at 30 frames per second. */
export const NEVER_FRAMES = 1_000_000_000;
