import { FF_ENCODER_LIBSVTAV1 } from 'node-av/constants';
import { ConstantBitrateControl } from '../constant-bitrate-control.js';
import { type CodecProfile, NEVER_FRAMES } from './codec-profile.js';

/**
 * The fastest that shows what changed. Faster presets, and the mode `rtc=1` with any preset up from 8, save the residual of blocks that
 * they predict well on average: measured on test patterns, one cell in the bar code of every second picture then kept the value that it
 * had in the picture before (1 to 60 of 90 pictures at 480p and 720p; none with this preset), where drivers look for brake lights.
 */
const PRESET = 9;

/** What SVT-AV1 takes as its level of parallelism. */
const MAX_PARALLELISM = 6;

/**
 * AV1 by SVT-AV1 with low delay, 15 ms of CPU for a 1280x720 frame: one chunk out per frame in, for which `sendFrame`
 * waits (`svt_av1_enc_get_packet` blocks in low delay, EbSvtAv1Enc.h).
 *
 * FFmpeg reads rate and quantizer limits when it opens the encoder and never again (`config_enc_params` in libavcodec/libsvtav1.c;
 * measured: a new `bitRate` on an open context changes nothing), so a new rate means a new encoder and a key frame. Its rate
 * control counts time in frames, as x264's does.
 */
export const av1Profile: CodecProfile = {
  codec: 'av1',
  encoderName: FF_ENCODER_LIBSVTAV1,
  inputFormats: ['I420'],
  keepsBitrate: true,
  needsEndOfStream: true,
  options: ({ bitrateBps, threads = 1 }) => ({
    preset: PRESET,
    b: Math.round(bitrateBps),
    g: NEVER_FRAMES,
    'svtav1-params': [
      // Low delay: no picture waits for a later one.
      'pred-struct=1',
      'lookahead=0',
      // Constant bitrate.
      'rc=2',
      // No key frames at scene changes.
      'scd=0',
      `lp=${Math.min(threads, MAX_PARALLELISM)}`,
    ].join(':'),
  }),
  createRateControl: ({ framerate, bitrateBps }) => new ConstantBitrateControl(bitrateBps, framerate),
};
