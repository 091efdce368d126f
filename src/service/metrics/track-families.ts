import type { TrackStats } from '../../sender/stats/track-stats.js';
import { counter, type Family, gauge, type Sample } from './scrape.js';

/** Metrics of one track. */
export const TRACK_FAMILIES: readonly Family<TrackStats>[] = [
  counter('framelock_frames_total', 'Frames given to the sender.', (track) => track.frames),
  counter('framelock_frames_encoded_total', 'Frames encoded.', (track) => track.framesEncoded),
  counter('framelock_key_frames_encoded_total', 'Key frames encoded.', (track) => track.keyFramesEncoded),
  counter('framelock_frames_sent_total', 'Frames sent.', (track) => track.framesSent),
  {
    type: 'counter',
    name: 'framelock_frames_dropped_total',
    help: 'Frames not sent, by reason.',
    labels: ['reason'],
    read: ({ framesDropped }) => byName('reason', framesDropped),
  },
  counter('framelock_encode_seconds_total', 'Time spent encoding.', (track) => track.totalEncodeTime),
  counter('framelock_sent_bytes_total', 'Payload bytes sent, retransmissions included.', (track) => track.bytesSent),
  counter('framelock_sent_header_bytes_total', 'RTP header bytes sent.', (track) => track.headerBytesSent),
  counter('framelock_sent_padding_bytes_total', 'Bytes sent to try out a rate.', (track) => track.paddingBytesSent),
  counter('framelock_sent_packets_total', 'RTP packets sent, retransmissions included.', (track) => track.packetsSent),
  counter(
    'framelock_retransmitted_packets_total',
    'Packets sent again because the receiver asked for them.',
    (track) => track.retransmittedPacketsSent,
  ),
  counter('framelock_nacks_received_total', 'NACK messages of the receiver.', (track) => track.nackCount),
  counter('framelock_plis_received_total', 'PLI messages of the receiver.', (track) => track.pliCount),
  counter('framelock_firs_received_total', 'FIR messages of the receiver.', (track) => track.firCount),
  counter('framelock_encoder_swaps_total', 'Encoders exchanged.', (track) => track.encoderSwaps),
  counter('framelock_encoder_errors_total', 'Failed encodes.', (track) => track.encoderErrors),
  gauge('framelock_target_bytes_per_second', 'Granted target; 0 while paused.', (track) => track.targetBitrate / 8),
  gauge('framelock_encoded_bytes_per_second', 'Encoded rate over the last second.', (track) => track.actualBitrate / 8),
  gauge('framelock_track_paused', '1 while the allocation pauses it.', (track) => (track.active ? 0 : 1)),
  gauge('framelock_track_starved', '1 while it is paused for want of rate.', ({ allocationReason }) =>
    allocationReason === 'paused-by-budget' ? 1 : 0,
  ),
  gauge('framelock_track_stalled', '1 if frames arrive and none is encoded.', ({ health }) =>
    health === 'stalled' ? 1 : 0,
  ),
  gauge('framelock_track_failed', '1 if its encoders have failed for good.', ({ health }) =>
    health === 'failed' ? 1 : 0,
  ),
  gauge('framelock_track_without_input', '1 if frames used to arrive and do not any more.', ({ health }) =>
    health === 'no-input' ? 1 : 0,
  ),
  gauge(
    'framelock_remote_loss_ratio',
    'Share of packets lost, as the receiver reported last.',
    ({ remoteInbound }) => remoteInbound?.fractionLost,
  ),
  gauge(
    'framelock_remote_jitter_seconds',
    'Interarrival jitter, as the receiver reported last.',
    ({ remoteInbound }) => remoteInbound?.jitter,
  ),
  gauge(
    'framelock_remote_round_trip_seconds',
    'Round trip by the last report of the receiver.',
    ({ remoteInbound }) => remoteInbound?.roundTripTime,
  ),
];

/** A sample for each entry of a record. */
export function byName(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
