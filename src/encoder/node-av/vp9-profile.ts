import { FF_ENCODER_LIBVPX_VP9 } from 'node-av/constants';
import type { CodecProfile } from './codec-profile.js';
import { createLibvpxRateControl, LIBVPX_OPTIONS } from './libvpx-settings.js';

/** A tile of VP9 is at least this wide (VP9 bitstream specification section 7.4.20, MIN_TILE_WIDTH_B64). */
const LEAST_TILE_WIDTH = 256;
/** At most four columns: the binary logarithm. More cost bits at every edge. */
const MAX_TILE_COLUMNS_LOG2 = 2;

/**
 * VP9 by libvpx in real-time mode, 12 to 13 ms of CPU for a 1280x720 frame. Its rate is held as VP8's is.
 *
 * Error resilience is off, as in libwebrtc for streams without layers: it makes frames decodable after a loss that the receiver answers
 * with a NACK or a request for a key frame anyway.
 */
export const vp9Profile: CodecProfile = {
  codec: 'vp9',
  encoderName: FF_ENCODER_LIBVPX_VP9,
  inputFormats: ['I420'],
  options: ({ width }) => ({
    ...LIBVPX_OPTIONS,
    'cpu-used': 8,
    // An alternate reference would be a second frame in a chunk.
    'auto-alt-ref': 0,
    // Rows and tile columns can be coded in parallel, and the columns be decoded so.
    'row-mt': 1,
    'tile-columns': Math.min(Math.max(Math.floor(Math.log2(width / LEAST_TILE_WIDTH)), 0), MAX_TILE_COLUMNS_LOG2),
    // Cyclic refresh: still parts are refined a stripe at a time.
    'aq-mode': 3,
  }),
  createRateControl: createLibvpxRateControl,
};
