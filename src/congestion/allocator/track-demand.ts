import { FramelockError } from '../../core/errors.js';
import { type LayerDemand, sameLayers } from './layer-division.js';

/** What one video track asks for. */
export interface TrackDemand {
  /** Unique among the tracks of a request. */
  readonly id: string;
  /** Relative share, a finite number >= 0; 0 pauses the track. @default 1 */
  readonly weight?: number;
  /** The least that the track is worth sending with, in whole bits per second >= 0; with less it is paused. @default 0 */
  readonly minBps?: number;
  /** The most that it can use, in whole bits per second >= `minBps`, or infinite. @default Infinity */
  readonly maxBps?: number;
  /** Where budgets do not cover every minimum, those of a higher class come first; an integer. @default 0 */
  readonly priorityClass?: number;
  /** Never pauses the track for want of budget: it gets its minimum even where that exceeds the budget. @default false */
  readonly enforceMinimum?: boolean;
  /** Its encodings among which its share is divided further, the smallest first. @default it is not */
  readonly layers?: readonly LayerDemand[];
}

/** A demand with every default filled in. */
export type CompleteDemand = Required<Omit<TrackDemand, 'layers'>> & Pick<TrackDemand, 'layers'>;

/**
 * Checks demands and fills their defaults in; nothing is kept of bad ones.
 *
 * @returns the demands in the order of their ids, in which all sums are formed, so that the order of a request never shows in a result
 * @throws FramelockError INVALID_ARGUMENT (an id that is no string or empty, a class that is no integer, an `enforceMinimum` that is no boolean), TRACK_EXISTS (an id twice), INVALID_WEIGHT,
 * INVALID_BITRATE (a bound out of range, a minimum above the maximum)
 */
export function completeDemands(demands: readonly TrackDemand[]): readonly CompleteDemand[] {
  const complete = demands.map(completeDemand).sort((a, b) => (a.id < b.id ? -1 : 1));
  let sum = 0;
  for (const [index, { id, weight }] of complete.entries()) {
    if (id === complete[index - 1]?.id) {
      throw new FramelockError('TRACK_EXISTS', `track "${id}" is there twice: every track needs an id of its own`, {
        context: { trackId: id },
      });
    }
    sum += weight;
  }
  if (!Number.isFinite(sum)) {
    throw new FramelockError('INVALID_WEIGHT', 'the weights add up to more than a number can hold: use smaller ones');
  }
  return complete;
}

function completeDemand(demand: TrackDemand): CompleteDemand {
  const { id, weight = 1, minBps = 0, maxBps = Number.POSITIVE_INFINITY } = demand;
  const { priorityClass = 0, enforceMinimum = false, layers } = demand;
  if (typeof id !== 'string' || id === '') {
    throw new FramelockError('INVALID_ARGUMENT', 'a track needs an id that is a string and not empty');
  }
  if (!Number.isFinite(weight) || weight < 0) {
    throw new FramelockError(
      'INVALID_WEIGHT',
      `weight of track "${id}" is ${weight}: it must be a finite number >= 0`,
      {
        context: { trackId: id, weight: String(weight) },
      },
    );
  }
  if (!isWholeBitrate(minBps)) throw badBound(id, 'minBps', minBps, 'a whole number of bits per second >= 0');
  if (maxBps !== Number.POSITIVE_INFINITY && !isWholeBitrate(maxBps)) {
    throw badBound(id, 'maxBps', maxBps, 'a whole number of bits per second >= 0, or Infinity');
  }
  if (minBps > maxBps) throw badBound(id, 'minBps', minBps, `at most its maxBps, ${maxBps}`);
  if (!Number.isSafeInteger(priorityClass)) {
    throw new FramelockError(
      'INVALID_ARGUMENT',
      `priorityClass of track "${id}" is ${priorityClass}: it must be an integer`,
      {
        context: { trackId: id, priorityClass: String(priorityClass) },
      },
    );
  }
  if (typeof enforceMinimum !== 'boolean') {
    throw new FramelockError('INVALID_ARGUMENT', `enforceMinimum of track "${id}" must be true or false`, {
      context: { trackId: id, field: 'enforceMinimum' },
    });
  }
  const complete = { id, weight, minBps, maxBps, priorityClass, enforceMinimum };
  return layers === undefined ? complete : { ...complete, layers };
}

/** Whether two complete demands of one track ask for the same. */
export function sameDemand(a: CompleteDemand, b: CompleteDemand): boolean {
  return (
    a.weight === b.weight &&
    a.minBps === b.minBps &&
    a.maxBps === b.maxBps &&
    a.priorityClass === b.priorityClass &&
    a.enforceMinimum === b.enforceMinimum &&
    sameLayers(a.layers, b.layers)
  );
}

function isWholeBitrate(bps: number): boolean {
  return Number.isSafeInteger(bps) && bps >= 0;
}

function badBound(trackId: string, field: 'minBps' | 'maxBps', bps: number, must: string): FramelockError {
  return new FramelockError('INVALID_BITRATE', `${field} of track "${trackId}" is ${bps}: it must be ${must}`, {
    context: { trackId, field, [field]: String(bps) },
  });
}
