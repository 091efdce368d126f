import { FramelockError } from '../core/errors.js';

/**
 * How the target bitrate is divided: a relative weight for each track id, or `null` for equal shares. A track that is left out or has
 * weight 0 is paused.
 */
export type BitrateAllocation = Readonly<Record<string, number>> | null;

/** What each audio track takes off the top: this share of the target, within these bounds in bits per second. */
const AUDIO_SHARE = 0.05;
const MIN_AUDIO_BPS = 8_000;
const MAX_AUDIO_BPS = 32_000;

/** What the allocation needs to know of a track. */
export interface AllocatableTrack {
  readonly id: string;
  /** Whether the track takes part in the division; audio does not. */
  readonly allocatable: boolean;
}

/**
 * Checks an allocation against the tracks that exist now and returns a private, frozen copy. Nothing is changed by a bad one.
 *
 * @throws FramelockError INVALID_ARGUMENT (not an object), INVALID_WEIGHT (not a finite number >= 0), TRACK_NOT_FOUND, NOT_ALLOCATABLE (audio),
 * ALLOCATION_SUM_ZERO
 */
export function validateAllocation(
  allocation: BitrateAllocation,
  tracks: ReadonlyMap<string, AllocatableTrack>,
): BitrateAllocation {
  if (allocation === null) return null;
  if (typeof allocation !== 'object') {
    throw new FramelockError('INVALID_ARGUMENT', 'an allocation is an object of weights by track id, or null');
  }
  let sum = 0;
  for (const [trackId, weight] of Object.entries(allocation)) {
    if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) {
      throw new FramelockError(
        'INVALID_WEIGHT',
        `weight of track "${trackId}" is ${weight}: it must be a finite number >= 0`,
        {
          context: { trackId, weight: String(weight) },
        },
      );
    }
    const track = tracks.get(trackId);
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
    sum += weight;
  }
  if (sum === 0) {
    throw new FramelockError('ALLOCATION_SUM_ZERO', 'the weights add up to 0: at least one track needs a weight > 0');
  }
  if (!Number.isFinite(sum)) {
    throw new FramelockError('INVALID_WEIGHT', 'the weights add up to more than a number can hold: use smaller ones');
  }
  return Object.freeze({ ...allocation });
}

/** The weight of one track under a validated allocation; equal shares count as weight 1, so that they are never taken for a pause. */
export function weightOf(allocation: BitrateAllocation, trackId: string): number {
  if (allocation === null) return 1;
  return Object.hasOwn(allocation, trackId) ? (allocation[trackId] ?? 0) : 0;
}

/** The share of each audio track, whatever the others do; below a target of 8 kbit/s a track it overshoots that, rather than fall silent. */
export function audioShareBps(targetBps: number): number {
  return Math.floor(Math.min(MAX_AUDIO_BPS, Math.max(targetBps * AUDIO_SHARE, MIN_AUDIO_BPS)));
}

/**
 * Divides the target among all tracks: audio takes its share off the top, and video what is left.
 *
 * @param targetBps bits per second, >= 0
 */
export function divideTarget(
  targetBps: number,
  allocation: BitrateAllocation,
  tracks: readonly AllocatableTrack[],
): ReadonlyMap<string, number> {
  const video = tracks.filter(({ allocatable }) => allocatable).map(({ id }) => id);
  const audio = tracks.filter(({ allocatable }) => !allocatable).map(({ id }) => id);
  const audioBps = audioShareBps(targetBps);
  const videoBps = Math.max(0, targetBps - audio.length * audioBps);
  const audioShares = audio.map((id): [string, number] => [id, audioBps]);
  return new Map([...audioShares, ...divideBitrate(videoBps, allocation, video)]);
}

/**
 * Divides `budgetBps` among video tracks by weight, rounded down; paused tracks get 0.
 *
 * @param budgetBps bits per second, >= 0
 */
export function divideBitrate(
  budgetBps: number,
  allocation: BitrateAllocation,
  trackIds: readonly string[],
): ReadonlyMap<string, number> {
  const weights = trackIds.map((id) => weightOf(allocation, id));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return new Map(trackIds.map((id, index) => [id, share(budgetBps, weights[index] ?? 0, sum)]));
}

function share(budgetBps: number, weight: number, sum: number): number {
  // Divide first: weight * budget could overflow to Infinity for very large weights.
  return sum > 0 ? Math.floor(budgetBps * (weight / sum)) : 0;
}
