import { FramelockError } from '../core/errors.js';
import type { Track } from './track.js';

/**
 * The track map of one sender. Guarded by tracksMu: changed on its exclusive side only. Reads are synchronous, so they see a committed
 * state; whoever goes asynchronous afterwards keeps the pinned object and asks `isCurrent` before it changes anything.
 */
export class TrackRegistry {
  readonly #tracks = new Map<string, Track>();

  get all(): readonly Track[] {
    return [...this.#tracks.values()];
  }

  get byId(): ReadonlyMap<string, Track> {
    return this.#tracks;
  }

  has(id: string): boolean {
    return this.#tracks.has(id);
  }

  /**
   * Resolves an id to its object, to be held across awaits: an id may be reused, an object not.
   * @throws FramelockError TRACK_NOT_FOUND
   */
  pin(id: string): Track {
    const track = this.#tracks.get(id);
    if (track === undefined) {
      const known = [...this.#tracks.keys()].join(', ') || 'none';
      throw new FramelockError('TRACK_NOT_FOUND', `there is no track "${id}" (tracks: ${known})`, {
        context: { trackId: id },
      });
    }
    return track;
  }

  /** The track that sends with this SSRC. */
  findBySsrc(ssrc: number): Track | undefined {
    for (const track of this.#tracks.values()) if (track.rtp.ssrc === ssrc) return track;
    return undefined;
  }

  /** Whether this very object, not only its id, is still registered. */
  isCurrent(track: Track): boolean {
    return this.#tracks.get(track.id) === track;
  }

  /** To be called on the exclusive side of tracksMu. */
  add(track: Track): void {
    this.#tracks.set(track.id, track);
  }

  /** To be called on the exclusive side of tracksMu; leaves a successor with the same id alone. */
  remove(track: Track): void {
    if (this.isCurrent(track)) this.#tracks.delete(track.id);
  }
}
