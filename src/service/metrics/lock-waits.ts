import type { Metric, Registry } from 'prom-client';
import { type LockSideStats, type LockStats, WAIT_BOUNDS_US } from '../../concurrency/lock-stats.js';
import type { SenderStats } from '../../sender/stats/sender-stats.js';
import type { Measured } from './scrape.js';

const NAME = 'framelock_lock_wait_seconds';

/**
 * Registers how long the locks of senders were waited for, as a histogram. The locks have counted already; it is read when it is scraped.
 * @returns the name
 */
export function registerLockWaits(registry: Registry, measured: () => Iterable<Measured<SenderStats>>): string {
  const histogram = {
    name: NAME,
    help: 'How long locks were waited for, by lock and side; tracksMu is of the sender, encoderMu of each track, or of each of its encodings.',
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({ ...histogram, values: [...samples(measured())] }),
  };
  // Of the interface of its metrics prom-client uses these members alone; its own histograms can only observe.
  registry.registerMetric(histogram as unknown as Metric);
  return NAME;
}

function* samples(measured: Iterable<Measured<SenderStats>>) {
  for (const { labels, reading } of measured) {
    yield* ofLock(reading.tracksMu, { ...labels, lock: 'tracksMu' });
    for (const { trackId, encoderMu, encodings = [] } of reading.tracks) {
      const own = { ...labels, lock: 'encoderMu', track: trackId };
      if (encoderMu !== undefined) yield* ofLock(encoderMu, own);
      // Each encoding has a lock of its own, and the camera none.
      for (const { rid, encoderMu: lock } of encodings) if (lock !== undefined) yield* ofLock(lock, { ...own, rid });
    }
  }
}

function* ofLock({ read, write }: LockStats, labels: Readonly<Record<string, string>>) {
  yield* ofSide(read, { ...labels, side: 'read' });
  yield* ofSide(write, { ...labels, side: 'write' });
}

/** Buckets are cumulative: each counts all waits up to its bound. */
function* ofSide({ waitCounts, acquisitions, waitTotalUs }: LockSideStats, labels: Readonly<Record<string, string>>) {
  let count = 0;
  for (const [index, boundUs] of WAIT_BOUNDS_US.entries()) {
    count += waitCounts[index] ?? 0;
    yield { metricName: `${NAME}_bucket`, labels: { ...labels, le: boundUs / 1e6 }, value: count };
  }
  yield { metricName: `${NAME}_bucket`, labels: { ...labels, le: '+Inf' }, value: acquisitions };
  yield { metricName: `${NAME}_sum`, labels, value: waitTotalUs / 1e6 };
  yield { metricName: `${NAME}_count`, labels, value: acquisitions };
}
