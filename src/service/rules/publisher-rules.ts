import { describeError } from '../../core/errors.js';
import { parseSourceSpec } from '../../source/source-spec.js';
import { boundViolations, trackViolations } from '../allocation/allocation-document.js';
import { pointer, type Violation } from '../schema/invalid-document.js';
import type { PublisherSpec, TrackSpec } from '../schema/publisher-schema.js';

/** What is wrong with a publisher beyond its schema. @param at pointer to it, in a larger document */
export function publisherViolations(spec: PublisherSpec, at = ''): readonly Violation[] {
  const { tracks = [], allocation, presets = {} } = spec;
  const ids = new Set(tracks.map(({ id }) => id));
  const base = allocation?.tracks ?? {};
  const basePath = `${at}/allocation/tracks`;
  return [
    ...duplicates(tracks, `${at}/tracks`),
    ...tracks.flatMap((track, index) => cameraViolations(track, at + pointer('tracks', index))),
    ...boundViolations(base, basePath),
    ...(allocation === undefined ? [] : trackViolations(base, ids, basePath)),
    ...Object.entries(presets).flatMap(([name, preset]) =>
      boundViolations(preset.tracks, at + pointer('presets', name, 'tracks')),
    ),
  ];
}

/** What is wrong with a camera beyond its schema. @param at pointer to it, in a larger document */
export function cameraViolations({ source, encodings = [] }: TrackSpec, at = ''): readonly Violation[] {
  return [...sourceViolations(source, at), ...repetitions(encodings, 'rid', `${at}/encodings`)];
}

/** Ids that were given before. @param at pointer to the list */
export function duplicates(things: readonly { readonly id: string }[], at: string): readonly Violation[] {
  return repetitions(things, 'id', at);
}

function repetitions<Field extends string>(
  things: readonly Readonly<Record<Field, string>>[],
  field: Field,
  at: string,
): readonly Violation[] {
  return things.flatMap((thing, index) =>
    things.findIndex((other) => other[field] === thing[field]) === index
      ? []
      : [{ path: at + pointer(index, field), rule: 'duplicate', message: 'is taken by another one before it' }],
  );
}

/** A source that cannot be one, whether or not it is there. */
function sourceViolations(source: string, at: string): readonly Violation[] {
  try {
    parseSourceSpec(source);
    return [];
  } catch (error) {
    return [{ path: `${at}/source`, rule: 'source', message: describeError(error) }];
  }
}
