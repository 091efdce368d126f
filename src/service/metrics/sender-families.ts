import type { SenderStats } from '../../sender/stats/sender-stats.js';
import type { Family } from './scrape.js';
import { byName } from './track-families.js';

/** Metrics of one sender: its connection, and what is known of the network. */
export const SENDER_FAMILIES: readonly Family<SenderStats>[] = [
  {
    type: 'gauge',
    name: 'framelock_connected',
    help: '1 while media can flow to the SFU.',
    read: ({ state }) => (state === 'connected' ? 1 : 0),
  },
  {
    type: 'gauge',
    name: 'framelock_sender_target_bytes_per_second',
    help: 'What its tracks share: what may be used, or what the network carries if that is less.',
    read: ({ targetBitrate }) => targetBitrate / 8,
  },
  network('round_trip_seconds', 'Smoothed, from the sending of packets to the feedback.', ({ rttMs }) => rttMs / 1000),
  network('loss_ratio', 'Average share of packets that are lost.', ({ lossShare }) => lossShare),
  network('queue_seconds', 'How long packets wait in queues on the way.', ({ queueMs }) => queueMs / 1000),
  network('pacer_queue_seconds', 'How long it takes to send what waits here.', (stats) => stats.pacerQueueMs / 1000),
  network('in_flight_bytes', 'Sent, and not reported by the receiver yet.', ({ inFlightBytes }) => inFlightBytes),
  {
    type: 'counter',
    name: 'framelock_network_feedback_messages_total',
    help: 'Transport-wide feedback of the receiver.',
    read: ({ congestion }) => congestion?.feedbacks,
  },
  {
    type: 'counter',
    name: 'framelock_late_completions_total',
    help: 'What came after the end of what it belonged to and was dropped, by kind.',
    labels: ['kind'],
    read: ({ lateCompletions }) => byName('kind', lateCompletions),
  },
  {
    type: 'counter',
    name: 'framelock_events_dropped_total',
    help: 'Events of the sender that no handler got, by type.',
    labels: ['type'],
    read: ({ events }) => byName('type', events.dropped),
  },
];

type Congestion = NonNullable<SenderStats['congestion']>;

/** A gauge of the network; absent without congestion control. */
function network(suffix: string, help: string, read: (stats: Congestion) => number): Family<SenderStats> {
  const name = `framelock_network_${suffix}`;
  return { type: 'gauge', name, help, read: ({ congestion }) => congestion && read(congestion) };
}
