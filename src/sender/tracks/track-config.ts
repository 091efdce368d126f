import type { AudioEncoderConfig } from '../../encoder/audio-encoder.js';
import { AUDIO_SAMPLE_RATE } from '../../encoder/audio-frame.js';
import type { VideoEncoderConfig } from '../../encoder/encoder.js';
import { validateAudioEncoderConfig } from '../../encoder/validate-audio.js';
import { validateEncoderConfig } from '../../encoder/validate-frame.js';
import { audioShareBps, encoderBitrate } from './stream-rates.js';
import type { AudioTrackSpec, VideoTrackSpec } from './track-specs.js';

const DEFAULT_FRAMERATE = 30;

/**
 * What the encoders of a camera are opened with, defaults filled in.
 * @param targetBps of the whole sender
 * @throws FramelockError INVALID_ARGUMENT, NOT_SUPPORTED (temporal layers of a codec without)
 */
export function videoConfigOf(spec: VideoTrackSpec, targetBps: number): VideoEncoderConfig {
  const {
    codec = 'vp8',
    width,
    height,
    format = 'I420',
    framerate = DEFAULT_FRAMERATE,
    threads,
    scalabilityMode,
  } = spec;
  const config = { codec, width, height, format, framerate, bitrateBps: encoderBitrate(targetBps) };
  const complete = {
    ...config,
    ...(threads === undefined ? {} : { threads }),
    ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
  };
  validateEncoderConfig(complete);
  return complete;
}

/**
 * The same of a microphone.
 * @throws FramelockError INVALID_ARGUMENT
 */
export function audioConfigOf(spec: AudioTrackSpec, targetBps: number): AudioEncoderConfig {
  const { format = 's16', sampleRate = AUDIO_SAMPLE_RATE, numberOfChannels, dtx = false } = spec;
  const bitrateBps = audioShareBps(targetBps);
  const config: AudioEncoderConfig = { codec: 'opus', format, sampleRate, numberOfChannels, bitrateBps, dtx };
  validateAudioEncoderConfig(config);
  return config;
}
