import { SystemClock } from '../../core/clock.js';
import { describeError, isFramelockError } from '../../core/errors.js';
import { silentLogger } from '../../core/logger.js';
import { hasLayers, LAYERED_CODECS } from '../../encoder/temporal-layers.js';
import { parseSourceSpec } from '../../source/source-spec.js';
import { boundViolations, trackViolations } from '../allocation/allocation-document.js';
import { pointer, type Violation } from '../schema/invalid-document.js';
import type { PublisherSpec, SfuSpec, TrackSpec } from '../schema/publisher-schema.js';
import { signallerFor } from '../signaller-for.js';
import { transportOf } from '../transport-choice.js';

/** What is wrong with a publisher beyond its schema. @param at pointer to it, in a larger document */
export function publisherViolations(spec: PublisherSpec, at = ''): readonly Violation[] {
  const { tracks = [], allocation, presets = {} } = spec;
  const ids = new Set(tracks.map(({ id }) => id));
  const base = allocation?.tracks ?? {};
  const basePath = `${at}/allocation/tracks`;
  return [
    ...sfuViolations(spec.sfu, at),
    ...transportViolations(spec, at),
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
export function cameraViolations(spec: TrackSpec, at = ''): readonly Violation[] {
  const { source, encodings = [] } = spec;
  return [
    ...sourceViolations(source, at),
    ...repetitions(encodings, 'rid', `${at}/encodings`),
    ...layerViolations(spec, at),
  ];
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

/** An SFU that cannot be one, whether or not it is there: what speaks to it knows, and does nothing until it is used. */
function sfuViolations(sfu: SfuSpec, at: string): readonly Violation[] {
  try {
    signallerFor(sfu, new SystemClock(), silentLogger);
    return [];
  } catch (error) {
    const field = isFramelockError(error) ? String(error.context['field'] ?? '') : '';
    return [
      { path: at + pointer('sfu', Object.keys(sfu)[0] ?? '', field), rule: 'sfu', message: describeError(error) },
    ];
  }
}

/** A transport that this machine does not have, or servers that it cannot use. */
function transportViolations(spec: PublisherSpec, at: string): readonly Violation[] {
  try {
    transportOf(spec, { clock: new SystemClock() });
    return [];
  } catch (error) {
    const field = isFramelockError(error) ? String(error.context['option'] ?? 'transport') : 'transport';
    return [{ path: at + pointer(field), rule: 'transport', message: describeError(error) }];
  }
}

/** Temporal layers of a codec that has none, whatever its encoder is. */
function layerViolations(spec: TrackSpec, at: string): readonly Violation[] {
  const { codec = 'vp8', encodings = [] } = spec;
  if (LAYERED_CODECS.has(codec)) return [];
  const codecs = [...LAYERED_CODECS].join(' or ');
  const message = `the codec of the camera has no temporal layers: use ${codecs}, or leave it out`;
  const places = [
    { asked: spec, place: at },
    ...encodings.map((asked, index) => ({ asked, place: at + pointer('encodings', index) })),
  ];
  return places.flatMap(({ asked, place }) =>
    hasLayers(asked) ? [{ path: `${place}/scalabilityMode`, rule: 'layers-of-codec', message }] : [],
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
