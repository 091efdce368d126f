import { isDeepStrictEqual } from 'node:util';
import type { PublisherSpec } from '../schema/publisher-schema.js';
import type { Publisher } from './publisher.js';
import type { PublisherRegistry } from './publisher-registry.js';

/** What a reload did, as ids; cameras as `publisher/track`. */
export interface ReloadReport {
  readonly created: readonly string[];
  readonly closed: readonly string[];
  readonly tracksAdded: readonly string[];
  readonly tracksRemoved: readonly string[];
  readonly untouched: readonly string[];
}

/**
 * Makes the configured publishers of a registry those of a new configuration. A publisher of which only cameras have changed keeps its connection and
 * its other cameras; one of which anything else has changed is closed and made anew. What the API has made is left alone.
 * @throws FramelockError as `PublisherRegistry.create`, PUBLISHER_EXISTS among them if the API has made one of that id
 */
export async function reconcile(registry: PublisherRegistry, specs: readonly PublisherSpec[]): Promise<ReloadReport> {
  const report = { created: [], closed: [], tracksAdded: [], tracksRemoved: [], untouched: [] } as {
    readonly [kind in keyof ReloadReport]: string[];
  };
  const wanted = new Map(specs.map((spec) => [spec.id, spec]));
  const configured = registry.all.filter(({ origin }) => origin === 'config');
  const leaving = configured.filter((publisher) => !isSameBesideTracks(publisher.spec, wanted.get(publisher.id)));
  await Promise.all(leaving.map((publisher) => registry.close(publisher)));
  report.closed.push(...leaving.map(({ id }) => id));
  const staying = new Map(configured.filter((publisher) => !leaving.includes(publisher)).map((one) => [one.id, one]));
  for (const spec of specs) {
    const publisher = staying.get(spec.id);
    if (publisher !== undefined) await reconcileTracks(publisher, spec, report);
    else {
      registry.create(spec, 'config');
      report.created.push(spec.id);
    }
  }
  return report;
}

/** Cameras that are as they were asked for stay; those that the API has removed meanwhile come back. */
async function reconcileTracks(
  publisher: Publisher,
  { id, tracks = [] }: PublisherSpec,
  report: { readonly [kind in keyof ReloadReport]: string[] },
): Promise<void> {
  const present = publisher.trackSpecs;
  const leaving = present.filter((track) => !tracks.some((wanted) => isDeepStrictEqual(wanted, track)));
  const coming = tracks.filter((wanted) => !present.some((track) => isDeepStrictEqual(wanted, track)));
  await Promise.all(leaving.map((track) => publisher.removeTrack(track.id)));
  for (const track of coming) publisher.keepTrying(track);
  report.tracksRemoved.push(...leaving.map((track) => `${id}/${track.id}`));
  report.tracksAdded.push(...coming.map((track) => `${id}/${track.id}`));
  if (leaving.length + coming.length === 0) report.untouched.push(id);
}

function isSameBesideTracks(one: PublisherSpec, other: PublisherSpec | undefined): boolean {
  return other !== undefined && isDeepStrictEqual({ ...one, tracks: [] }, { ...other, tracks: [] });
}
