import { type AllocatableTrack, weightOf } from '../../../src/sender/allocation/allocation.js';
import { audioShareBps } from '../../../src/sender/tracks/stream-rates.js';

/**
 * Dividing a target by weight and nothing else, as plainly as it can be said: audio off the top, and video what is left, rounded down.
 *
 * @returns bits per second by track id
 */
export function plainDivision(
  targetBps: number,
  allocation: Readonly<Record<string, number>> | null,
  tracks: readonly AllocatableTrack[],
): ReadonlyMap<string, number> {
  const video = tracks.filter(({ allocatable }) => allocatable);
  const audioBps = audioShareBps(targetBps);
  const videoBps = Math.max(0, targetBps - (tracks.length - video.length) * audioBps);
  const sum = video.reduce((total, { id }) => total + weightOf(allocation, id), 0);
  // Divide first: weight times rate could overflow.
  const shareOf = (id: string): number => (sum > 0 ? Math.floor(videoBps * (weightOf(allocation, id) / sum)) : 0);
  return new Map(tracks.map(({ id, allocatable }) => [id, allocatable ? shareOf(id) : audioBps]));
}
