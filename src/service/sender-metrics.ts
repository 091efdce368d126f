import { Counter, Gauge, type Registry } from 'prom-client';
import type { RtcSender } from '../sender/rtc-sender.js';
import type { SenderStats } from '../sender/sender-stats.js';
import type { TrackStats } from '../sender/track-stats.js';

type TrackReading = (track: TrackStats) => number;

const COUNTERS: readonly [name: string, help: string, read: TrackReading][] = [
  ['framelock_frames_total', 'Frames given to the sender.', (track) => track.frames],
  ['framelock_frames_encoded_total', 'Frames encoded.', (track) => track.framesEncoded],
  ['framelock_key_frames_encoded_total', 'Key frames encoded.', (track) => track.keyFramesEncoded],
  ['framelock_frames_sent_total', 'Frames sent.', (track) => track.framesSent],
  ['framelock_encode_seconds_total', 'Time spent encoding.', (track) => track.totalEncodeTime],
  ['framelock_sent_bytes_total', 'Payload bytes sent, retransmissions included.', (track) => track.bytesSent],
  ['framelock_sent_packets_total', 'RTP packets sent, retransmissions included.', (track) => track.packetsSent],
  ['framelock_encoder_swaps_total', 'Encoders exchanged.', (track) => track.encoderSwaps],
  ['framelock_encoder_errors_total', 'Failed encodes.', (track) => track.encoderErrors],
];

const GAUGES: readonly [name: string, help: string, read: TrackReading][] = [
  ['framelock_target_bits_per_second', 'Granted target; 0 while paused.', (track) => track.targetBitrate],
  ['framelock_encoded_bits_per_second', 'Encoded rate over the last second.', (track) => track.actualBitrate],
  [
    'framelock_track_stalled',
    '1 if frames arrive and none is encoded.',
    (track) => (track.health === 'stalled' ? 1 : 0),
  ],
];

/** One sender among those that are measured. */
interface MeasuredSender {
  /** Labels of all its series. */
  readonly labels: Readonly<Record<string, string>>;
  readonly stats: SenderStats;
}

/**
 * Registers Prometheus metrics of a sender, one series a track; they are read when they are scraped, so that series come and go with their
 * tracks. Returns a function that takes them out again.
 */
export function registerSenderMetrics(sender: RtcSender, registry: Registry): () => void {
  return registerMetrics(registry, [], () => [{ labels: {}, stats: sender.getStats() }]);
}

/**
 * The same for all publishers of a service, each series with its publisher's id. Series come and go with publishers and tracks.
 * @param publishers those that there are now, asked at each scrape
 */
export function registerPublisherMetrics(
  publishers: () => Iterable<{ readonly id: string; stats(): SenderStats }>,
  registry: Registry,
): () => void {
  return registerMetrics(registry, ['publisher'], () =>
    Array.from(publishers(), (publisher) => ({ labels: { publisher: publisher.id }, stats: publisher.stats() })),
  );
}

function registerMetrics(
  registry: Registry,
  labelNames: readonly string[],
  measured: () => readonly MeasuredSender[],
): () => void {
  const registers = [registry];
  const trackLabels = [...labelNames, 'track'];
  const names: string[] = [];
  const tracks = () =>
    measured().flatMap(({ labels, stats }) =>
      stats.tracks.map((track) => ({ track, labels: { ...labels, track: track.trackId } })),
    );
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      name,
      help,
      registers,
      labelNames: trackLabels,
      collect() {
        this.reset();
        for (const { track, labels } of tracks()) this.inc(labels, read(track));
      },
    });
    names.push(name);
  }
  for (const [name, help, read] of GAUGES) {
    new Gauge({
      name,
      help,
      registers,
      labelNames: trackLabels,
      collect() {
        this.reset();
        for (const { track, labels } of tracks()) this.set(labels, read(track));
      },
    });
    names.push(name);
  }
  new Counter({
    name: 'framelock_frames_dropped_total',
    help: 'Frames not sent, by reason.',
    registers,
    labelNames: [...trackLabels, 'reason'],
    collect() {
      this.reset();
      for (const { track, labels } of tracks()) {
        for (const [reason, count] of Object.entries(track.framesDropped)) this.inc({ ...labels, reason }, count);
      }
    },
  });
  new Gauge({
    name: 'framelock_connected',
    help: '1 while media can flow to the SFU.',
    registers,
    labelNames: [...labelNames],
    collect() {
      this.reset();
      for (const { labels, stats } of measured()) this.set(labels, stats.state === 'connected' ? 1 : 0);
    },
  });
  names.push('framelock_frames_dropped_total', 'framelock_connected');
  return () => {
    for (const name of names) registry.removeSingleMetric(name);
  };
}
