import { type LayerDemand, mostOf } from '../../congestion/allocator/layer-division.js';
import { completeDemands, type TrackDemand } from '../../congestion/allocator/track-demand.js';
import { FramelockError } from '../../core/errors.js';

/** What one video track is to have of the bitrate. */
export type TrackShare = Omit<TrackDemand, 'id' | 'layers'>;

/**
 * How the target bitrate is divided: for each track id a relative weight, or a {@link TrackShare} with bounds and a priority class, or `null` for equal
 * shares of everything. A number stands for a share with this weight and no bounds. A track that is left out or has weight 0 is paused.
 */
export type BitrateAllocation = Readonly<Record<string, number | TrackShare>> | null;

/** A misspelt bound would silently not hold. */
const SHARE_FIELDS: ReadonlySet<string> = new Set<keyof TrackShare>([
  'weight',
  'minBps',
  'maxBps',
  'priorityClass',
  'enforceMinimum',
]);

/** What the allocation needs to know of a track. */
export interface AllocatableTrack {
  readonly id: string;
  /** Whether the track takes part in the division; audio does not. */
  readonly allocatable: boolean;
  /** What its encodings ask for, where it has several. */
  readonly layers?: TrackDemand['layers'] | undefined;
}

/**
 * Checks an allocation against the tracks that exist now and returns a private copy, frozen through and through. Nothing is changed by a bad one.
 *
 * @throws FramelockError INVALID_ARGUMENT (not an object, an unknown field, a class that is no integer), INVALID_WEIGHT (not a finite number >= 0),
 * INVALID_BITRATE (a bound out of range, a minimum above the maximum), TRACK_NOT_FOUND, NOT_ALLOCATABLE (audio), ALLOCATION_SUM_ZERO
 */
export function validateAllocation(
  allocation: BitrateAllocation,
  tracks: ReadonlyMap<string, AllocatableTrack>,
): BitrateAllocation {
  if (allocation === null) return null;
  if (typeof allocation !== 'object') {
    throw new FramelockError('INVALID_ARGUMENT', 'an allocation is an object of weights by track id, or null');
  }
  const shares = Object.entries(allocation).map(([trackId, share]): [string, number | TrackShare] => {
    assertAllocatable(trackId, tracks.get(trackId));
    return [trackId, typeof share === 'number' ? share : checkedShare(trackId, share)];
  });
  const demands = completeDemands(shares.map(([trackId, share]) => demandOf(trackId, share)));
  if (demands.every(({ weight }) => weight === 0)) {
    throw new FramelockError('ALLOCATION_SUM_ZERO', 'the weights add up to 0: at least one track needs a weight > 0');
  }
  return Object.freeze(Object.fromEntries(shares));
}

/** The weight of one track under a validated allocation; equal shares count as weight 1, so that they are never taken for a pause. */
export function weightOf(allocation: BitrateAllocation, trackId: string): number {
  return demandUnder(allocation, trackId).weight ?? 1;
}

/** What the video tracks ask for under a validated allocation. */
export function demandsUnder(
  allocation: BitrateAllocation,
  tracks: readonly AllocatableTrack[],
): readonly TrackDemand[] {
  return tracks
    .filter(({ allocatable }) => allocatable)
    .map(({ id, layers }) => {
      const demand = demandUnder(allocation, id);
      return layers === undefined ? demand : demandOfLayers(demand, layers);
    });
}

/** What its encodings cannot use goes to other tracks. */
function demandOfLayers(demand: TrackDemand, layers: readonly LayerDemand[]): TrackDemand {
  const maxBps = Math.min(demand.maxBps ?? Number.POSITIVE_INFINITY, mostOf(layers));
  return { ...demand, maxBps, minBps: Math.min(demand.minBps ?? 0, maxBps), layers };
}

function demandUnder(allocation: BitrateAllocation, trackId: string): TrackDemand {
  if (allocation === null) return { id: trackId };
  const share = Object.hasOwn(allocation, trackId) ? allocation[trackId] : undefined;
  return demandOf(trackId, share ?? 0);
}

function demandOf(id: string, share: number | TrackShare): TrackDemand {
  return typeof share === 'number' ? { id, weight: share } : { ...share, id };
}

function checkedShare(trackId: string, share: unknown): TrackShare {
  if (typeof share !== 'object' || share === null) {
    throw new FramelockError(
      'INVALID_WEIGHT',
      `share of track "${trackId}" is ${String(share)}: it must be a finite number >= 0, or an object with bounds`,
      { context: { trackId } },
    );
  }
  const unknownField = Object.keys(share).find((field) => !SHARE_FIELDS.has(field));
  if (unknownField !== undefined) {
    const known = [...SHARE_FIELDS].join(', ');
    throw new FramelockError(
      'INVALID_ARGUMENT',
      `share of track "${trackId}" has a field "${unknownField}", which does not exist: use ${known}`,
      { context: { trackId, field: unknownField } },
    );
  }
  return Object.freeze({ ...share });
}

function assertAllocatable(trackId: string, track: AllocatableTrack | undefined): void {
  if (track === undefined) {
    throw new FramelockError('TRACK_NOT_FOUND', `the allocation names track "${trackId}", which does not exist`, {
      context: { trackId },
    });
  }
  if (!track.allocatable) {
    throw new FramelockError('NOT_ALLOCATABLE', `track "${trackId}" is audio and takes its share off the top`, {
      context: { trackId },
    });
  }
}
