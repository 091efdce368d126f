import { FF_ENCODER_LIBVPX_VP8 } from 'node-av/constants';
import type { CodecProfile } from './codec-profile.js';
import { createLibvpxRateControl, LIBVPX_OPTIONS } from './libvpx-settings.js';

/** VP8 by libvpx in real-time mode, 4 to 5 ms of CPU for a 1280x720 frame. */
export const vp8Profile: CodecProfile = {
  codec: 'vp8',
  encoderName: FF_ENCODER_LIBVPX_VP8,
  inputFormats: ['I420'],
  options: () => ({
    ...LIBVPX_OPTIONS,
    // Negative: a fixed speed. A positive value lets libvpx use up a share of the frame interval, here twice the CPU for 0.1 dB.
    'cpu-used': -8,
  }),
  createRateControl: createLibvpxRateControl,
};
