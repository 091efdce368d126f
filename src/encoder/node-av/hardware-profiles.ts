import {
  AV_HWDEVICE_TYPE_VAAPI,
  AV_PIX_FMT_VAAPI,
  FF_ENCODER_H264_AMF,
  FF_ENCODER_H264_NVENC,
  FF_ENCODER_H264_QSV,
  FF_ENCODER_H264_V4L2M2M,
  FF_ENCODER_H264_VAAPI,
  type FFEncoderCodec,
} from 'node-av/constants';
import { AverageBitrateControl } from '../average-bitrate-control.js';
import { ConstantBitrateControl } from '../constant-bitrate-control.js';
import type { VideoEncoderConfig } from '../encoder.js';
import { type CodecProfile, NEVER_FRAMES } from './codec-profile.js';

/** A kind of hardware that encodes H.264. */
export type HardwareEncoder = 'nvenc' | 'vaapi' | 'qsv' | 'amf' | 'v4l2m2m';

/** Average rate, peak and buffer as FFmpeg calls them. */
function rates({ bitrateBps }: VideoEncoderConfig): Readonly<Record<string, number>> {
  const averageBps = Math.round(bitrateBps);
  return { b: averageBps, maxrate: averageBps, bufsize: Math.round(0.3 * averageBps) };
}

/** @param options beyond the rates: no reordering, no look-ahead, key frames on request only */
function h264(encoderName: FFEncoderCodec, options: Readonly<Record<string, string | number>>): CodecProfile {
  return {
    codec: 'h264',
    encoderName,
    inputFormats: ['I420', 'NV12'],
    options: (config) => ({ g: NEVER_FRAMES, bf: 0, ...rates(config), ...options }),
    createRateControl: ({ bitrateBps }) => new AverageBitrateControl(bitrateBps),
  };
}

/**
 * Hardware encoders of FFmpeg, with the options that its documentation (`ffmpeg -h encoder=NAME`) gives for low delay. They take part only
 * where they are asked for and open; no machine with one was at hand, so treat each as untried until `framelock probe` shows it opening.
 */
export const hardwareProfiles: Readonly<Record<HardwareEncoder, CodecProfile>> = {
  nvenc: h264(FF_ENCODER_H264_NVENC, {
    preset: 'p2',
    tune: 'ull',
    profile: 'baseline',
    rc: 'cbr',
    delay: 0,
    zerolatency: 1,
    'forced-idr': 1,
  }),
  // Reads its rate when it is opened and never again (libavcodec/vaapi_encode.c), so a new rate means a new encoder.
  vaapi: {
    ...h264(FF_ENCODER_H264_VAAPI, {
      profile: 'constrained_baseline',
      rc_mode: 'CBR',
      async_depth: 1,
    }),
    inputFormats: ['NV12'],
    memory: { device: AV_HWDEVICE_TYPE_VAAPI, format: AV_PIX_FMT_VAAPI },
    keepsBitrate: true,
    createRateControl: ({ framerate, bitrateBps }) => new ConstantBitrateControl(bitrateBps, framerate),
  },
  qsv: {
    ...h264(FF_ENCODER_H264_QSV, {
      preset: 'veryfast',
      profile: 'baseline',
      async_depth: 1,
      low_delay_brc: 1,
      forced_idr: 1,
    }),
    inputFormats: ['NV12'],
  },
  amf: h264(FF_ENCODER_H264_AMF, {
    usage: 'ultralowlatency',
    quality: 'speed',
    profile: 'constrained_baseline',
    rc: 'cbr',
  }),
  v4l2m2m: h264(FF_ENCODER_H264_V4L2M2M, {}),
};
