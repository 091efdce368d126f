import { isDeepStrictEqual } from 'node:util';
import { FramelockError } from '../../core/errors.js';
import type { PublisherSpec } from '../schema/publisher-schema.js';
import type { ReloadReport } from '../schema/reload-schema.js';
import type { Publisher } from './publisher.js';
import { MAX_PUBLISHERS, type PublisherRegistry } from './publisher-registry.js';

/** A report that is being written. */
type Report = { readonly [kind in keyof ReloadReport]: string[] };

/**
 * Makes the configured publishers of a registry those of a new configuration. A publisher of which only the bitrate, the allocation, the presets or cameras have changed
 * keeps its connection and its other cameras; one of which anything else has changed is closed and made anew. What the API has made is left alone.
 * @throws FramelockError PUBLISHER_EXISTS if the API has made one of a configured id, LIMIT_REACHED: nothing has changed then; and as `PublisherRegistry.create`
 * and `Publisher.reconfigure`
 */
export async function reconcile(registry: PublisherRegistry, specs: readonly PublisherSpec[]): Promise<ReloadReport> {
  assertRoomFor(registry, specs);
  const report: Report = { created: [], closed: [], changed: [], tracksAdded: [], tracksRemoved: [], untouched: [] };
  const wanted = new Map(specs.map((spec) => [spec.id, spec]));
  const configured = registry.all.filter(({ origin }) => origin === 'config');
  const leaving = configured.filter((publisher) => !canFollow(publisher.spec, wanted.get(publisher.id)));
  await Promise.all(leaving.map((publisher) => registry.close(publisher)));
  report.closed.push(...leaving.map(({ id }) => id));
  const staying = new Map(configured.filter((publisher) => !leaving.includes(publisher)).map((one) => [one.id, one]));
  for (const spec of specs) {
    const publisher = staying.get(spec.id);
    if (publisher !== undefined) await follow(publisher, spec, report);
    else {
      registry.create(spec, 'config');
      report.created.push(spec.id);
    }
  }
  return report;
}

/** Before anything is closed: a configuration that cannot be followed costs no video. */
function assertRoomFor(registry: PublisherRegistry, specs: readonly PublisherSpec[]): void {
  const made = registry.all.filter(({ origin }) => origin === 'api');
  const taken = specs.find(({ id }) => made.some((publisher) => publisher.id === id));
  if (taken !== undefined) {
    const message = `publisher "${taken.id}" of the configuration has been made by the API meanwhile: close it, or choose another id`;
    throw new FramelockError('PUBLISHER_EXISTS', message, { context: { publisherId: taken.id } });
  }
  if (made.length + specs.length <= MAX_PUBLISHERS) return;
  const message = `the configuration has ${specs.length} publishers and the API has made ${made.length}: ${MAX_PUBLISHERS} can be`;
  throw new FramelockError('LIMIT_REACHED', message, { context: { limit: MAX_PUBLISHERS } });
}

/** Cameras that are as they were asked for stay; those that the API has removed meanwhile come back. */
async function follow(publisher: Publisher, spec: PublisherSpec, report: Report): Promise<void> {
  const { id, tracks = [] } = spec;
  const present = publisher.trackSpecs;
  const leaving = present.filter((track) => !tracks.some((wanted) => isDeepStrictEqual(wanted, track)));
  const coming = tracks.filter((wanted) => !present.some((track) => isDeepStrictEqual(wanted, track)));
  const isChanged = !isDeepStrictEqual(besideTracks(publisher.spec), besideTracks(spec));
  await Promise.all(leaving.map((track) => publisher.removeTrack(track.id)));
  for (const track of coming) publisher.keepTrying(track);
  report.tracksRemoved.push(...leaving.map((track) => `${id}/${track.id}`));
  report.tracksAdded.push(...coming.map((track) => `${id}/${track.id}`));
  if (isChanged) {
    await publisher.reconfigure(spec);
    report.changed.push(id);
  }
  if (leaving.length + coming.length === 0 && !isChanged) report.untouched.push(id);
}

/** Whether a publisher can become another one while its connection stands. */
function canFollow(one: PublisherSpec, other: PublisherSpec | undefined): boolean {
  return other !== undefined && isDeepStrictEqual(connectionOf(one), connectionOf(other));
}

function besideTracks({ tracks, ...rest }: PublisherSpec): Omit<PublisherSpec, 'tracks'> {
  return rest;
}

function connectionOf({ tracks, allocation, presets, bitrateBps, ...rest }: PublisherSpec): Partial<PublisherSpec> {
  return rest;
}
