import { Registry } from 'prom-client';
import type { Clock } from '../../core/clock.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { Publisher } from '../publishers/publisher.js';
import { registerStats } from '../sender-metrics.js';
import { FrameTimes } from './frame-times.js';
import { HttpMetrics } from './http-metrics.js';
import { ProcessMetrics } from './process-metrics.js';
import { PUBLISHER_FAMILIES } from './publisher-families.js';
import { perScrape, registerFamilies } from './scrape.js';

const LABELS = ['publisher'];

/** All metrics of the service. Series come and go with publishers and tracks. Owner: the service. */
export class ServiceMetrics {
  readonly registry = new Registry();
  readonly http = new HttpMetrics(this.registry);
  readonly process: ProcessMetrics;
  readonly #frameTimes: FrameTimes;

  /**
   * @param publishers those that there are now, asked once a scrape
   * @param linesLost of the log, likewise
   */
  constructor(publishers: () => readonly Publisher[], clock: Clock, version: string, linesLost: () => number) {
    const stats = perScrape(() =>
      publishers().map((publisher) => ({ labels: labelsOf(publisher), reading: publisher.stats() })),
    );
    const readings = perScrape(() =>
      publishers().map((publisher) => ({
        labels: labelsOf(publisher),
        reading: {
          view: publisher.view(),
          allocation: publisher.allocation.view(),
          expiredLeases: publisher.allocation.expiredLeases,
        },
      })),
    );
    registerStats(this.registry, LABELS, stats);
    registerFamilies(this.registry, LABELS, PUBLISHER_FAMILIES, readings);
    this.process = new ProcessMetrics(this.registry, clock, version, linesLost);
    this.#frameTimes = new FrameTimes(this.registry, () =>
      stats().flatMap(({ labels, reading }) => reading.tracks.map(({ trackId }) => ({ ...labels, track: trackId }))),
    );
  }

  /** Observes the frames of a publisher's sender. */
  watch(publisherId: string, sender: RtcSender): void {
    this.#frameTimes.watch(publisherId, sender);
  }
}

function labelsOf({ id }: Publisher): { readonly publisher: string } {
  return { publisher: id };
}
