import type { VideoEncoderConfig } from '../encoder.js';
import { QuantizerRateControl } from '../quantizer-rate-control.js';
import { NEVER_FRAMES } from './codec-profile.js';

/**
 * The rate that libvpx itself aims at, in bits per second. FFmpeg ignores a new bitrate on an open libvpx context, but applies a new
 * `qMax` to every frame. With a rate that no picture fits into, libvpx always uses that largest quantizer, and so does what it is told.
 * It must be below any target in use: at 100 kbit/s, libvpx spent 98 when it was asked for 60.
 */
const UNREACHABLE_BPS = 10_000;

/** Options of VP8 and VP9 alike: real time, one chunk out per frame in, key frames on demand only, and the quantizer in our hands. */
export const LIBVPX_OPTIONS = Object.freeze({
  deadline: 'realtime',
  'lag-in-frames': 0,
  // Equal distances also switch off the key frames that libvpx would place at scene changes.
  g: NEVER_FRAMES,
  keyint_min: NEVER_FRAMES,
  b: UNREACHABLE_BPS,
  minrate: UNREACHABLE_BPS,
  maxrate: UNREACHABLE_BPS,
  bufsize: UNREACHABLE_BPS,
});

/** Rate control by the quantizer of each frame. */
export function createLibvpxRateControl({
  width,
  height,
  framerate,
  bitrateBps,
}: VideoEncoderConfig): QuantizerRateControl {
  return new QuantizerRateControl({ targetBps: bitrateBps, framerate, pixels: width * height });
}
