import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_S16,
  type AVSampleFormat,
} from 'node-av/constants';
import type { ChannelLayout } from 'node-av/lib';
import type { AudioChannels, AudioSampleFormat } from '../audio-frame.js';

/** Interleaved sample formats by FFmpeg's names. */
export const FFMPEG_SAMPLE_FORMATS: Readonly<Record<AudioSampleFormat, AVSampleFormat>> = {
  s16: AV_SAMPLE_FMT_S16,
  f32: AV_SAMPLE_FMT_FLT,
};

/** Mono or stereo, as FFmpeg has it. */
export function channelLayoutOf(numberOfChannels: AudioChannels): ChannelLayout {
  return numberOfChannels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
}
