import { Counter, Gauge, type Registry } from 'prom-client';
import type { PublisherView } from './schema/publisher-schema.js';
import { SOURCE_STATES } from './supervision/source-state.js';

/**
 * Registers Prometheus metrics of the sources of all cameras: of each state one series a camera, which is 1 for the state that it is in, and how often it
 * was opened again. They are read when they are scraped, so that series come and go with their cameras.
 * @param publishers those that there are now, asked at each scrape
 */
export function registerSourceMetrics(
  publishers: () => Iterable<{ readonly id: string; view(): PublisherView }>,
  registry: Registry,
): void {
  const registers = [registry];
  const sources = () =>
    Array.from(publishers()).flatMap((publisher) =>
      publisher.view().tracks.map(({ id, source }) => ({ labels: { publisher: publisher.id, track: id }, source })),
    );
  new Gauge({
    name: 'framelock_source_state',
    help: '1 for the state that the source of a camera is in, 0 for every other one.',
    registers,
    labelNames: ['publisher', 'track', 'state'],
    collect() {
      this.reset();
      for (const { labels, source } of sources()) {
        for (const state of SOURCE_STATES) this.set({ ...labels, state }, source.state === state ? 1 : 0);
      }
    },
  });
  new Counter({
    name: 'framelock_source_reopened_total',
    help: 'How often the source of a camera was opened again.',
    registers,
    labelNames: ['publisher', 'track'],
    collect() {
      this.reset();
      for (const { labels, source } of sources()) this.inc(labels, source.reopened);
    },
  });
}
