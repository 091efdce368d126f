import { FF_ENCODER_LIBVPX_VP8 } from 'node-av/constants';
import { QuantizerRateControl } from '../quantizer-rate-control.js';
import { type CodecProfile, NEVER_FRAMES } from './codec-profile.js';

/**
 * The rate that libvpx itself aims at, in bits per second. FFmpeg ignores a new bitrate on an open libvpx context, but applies a new
 * `qMax` to every frame. With a rate that no picture fits into, libvpx always uses that largest quantizer, and so does what it is told.
 * It must be below any target in use: at 100 kbit/s, libvpx spent 98 when it was asked for 60.
 */
const UNREACHABLE_BPS = 10_000;

/** VP8 by libvpx in real-time mode, 4 to 5 ms of CPU for a 1280x720 frame. */
export const vp8Profile: CodecProfile = {
  codec: 'vp8',
  encoderName: FF_ENCODER_LIBVPX_VP8,
  inputFormats: ['I420'],
  options: () => ({
    deadline: 'realtime',
    // Negative: a fixed speed. A positive value lets libvpx use up a share of the frame interval, here twice the CPU for 0.1 dB.
    'cpu-used': -8,
    'lag-in-frames': 0,
    // Equal distances also switch off the key frames that libvpx would place at scene changes.
    g: NEVER_FRAMES,
    keyint_min: NEVER_FRAMES,
    b: UNREACHABLE_BPS,
    minrate: UNREACHABLE_BPS,
    maxrate: UNREACHABLE_BPS,
    bufsize: UNREACHABLE_BPS,
  }),
  createRateControl: ({ width, height, framerate, bitrateBps }) =>
    new QuantizerRateControl({ targetBps: bitrateBps, framerate, pixels: width * height }),
};
