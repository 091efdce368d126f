import type { Registry } from 'prom-client';
import type { RtcSender } from '../sender/rtc-sender.js';
import type { SenderStats } from '../sender/stats/sender-stats.js';
import { ENCODING_FAMILIES } from './metrics/encoding-families.js';
import { registerLockWaits } from './metrics/lock-waits.js';
import { type Measured, perScrape, registerFamilies } from './metrics/scrape.js';
import { SENDER_FAMILIES } from './metrics/sender-families.js';
import { TRACK_FAMILIES } from './metrics/track-families.js';

/**
 * Registers Prometheus metrics of a sender, one series a track, and an encoding of one (`rid`); they are read when they are scraped, so that series come and go with their
 * tracks. Returns a function that takes them out again.
 */
export function registerSenderMetrics(sender: RtcSender, registry: Registry): () => void {
  return registerStats(registry, [], () => [{ labels: {}, reading: sender.getStats() }]);
}

/**
 * The same for any number of senders, told apart by labels.
 * @param labelNames of the labels of each
 * @param senders statistics of those that there are now, asked once a scrape
 */
export function registerStats(
  registry: Registry,
  labelNames: readonly string[],
  senders: () => readonly Measured<SenderStats>[],
): () => void {
  const measured = perScrape(senders);
  const tracks = perScrape(() =>
    measured().flatMap(({ labels, reading }) =>
      reading.tracks.map((track) => ({ labels: { ...labels, track: track.trackId }, reading: track })),
    ),
  );
  const encodings = perScrape(() =>
    tracks().flatMap(({ labels, reading }) =>
      (reading.encodings ?? []).map((encoding) => ({ labels: { ...labels, rid: encoding.rid }, reading: encoding })),
    ),
  );
  const names = [
    ...registerFamilies(registry, [...labelNames, 'track'], TRACK_FAMILIES, tracks),
    ...registerFamilies(registry, [...labelNames, 'track', 'rid'], ENCODING_FAMILIES, encodings),
    ...registerFamilies(registry, labelNames, SENDER_FAMILIES, measured),
    registerLockWaits(registry, measured),
  ];
  return () => {
    for (const name of names) registry.removeSingleMetric(name);
  };
}
