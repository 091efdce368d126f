import type { EncodingStats } from '../../sender/stats/track-stats.js';
import { counter, type Family, gauge } from './scrape.js';

/**
 * Metrics of one encoding of a camera that is sent as simulcast; the metrics of the camera are the sums over them. They have names of their own, so that nobody who
 * adds up the series of a name counts anything twice.
 */
export const ENCODING_FAMILIES: readonly Family<EncodingStats>[] = [
  gauge('framelock_encoding_paused', '1 while it is not sent, whatever the reason.', ({ active }) => (active ? 0 : 1)),
  gauge(
    'framelock_encoding_target_bytes_per_second',
    'Granted target; 0 while paused.',
    ({ targetBitrate }) => targetBitrate / 8,
  ),
  gauge(
    'framelock_encoding_encoded_bytes_per_second',
    'Encoded rate over the last second.',
    ({ actualBitrate }) => actualBitrate / 8,
  ),
  counter('framelock_encoding_frames_sent_total', 'Frames sent.', ({ framesSent }) => framesSent),
  counter(
    'framelock_encoding_key_frames_encoded_total',
    'Key frames encoded.',
    ({ keyFramesEncoded }) => keyFramesEncoded,
  ),
  counter('framelock_encoding_encoder_swaps_total', 'Encoders exchanged.', ({ encoderSwaps }) => encoderSwaps),
];
