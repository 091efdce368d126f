import { FramelockError } from '../../core/errors.js';
import type { Track, TrackStream } from './track.js';
import type { TrackHandle, TrackRef } from './track-handle.js';

/**
 * The track map of one sender. Guarded by tracksMu: changed on its exclusive side only. Reads are synchronous, so they see a committed
 * state; whoever goes asynchronous afterwards keeps the pinned object and asks `isCurrent` before it changes anything.
 */
export class TrackRegistry {
  readonly #tracks = new Map<string, Track>();
  /** Of all tracks that have ever been here. */
  readonly #handles = new WeakSet<TrackHandle>();

  get all(): readonly Track[] {
    return [...this.#tracks.values()];
  }

  /** What is sent of them. */
  get streams(): readonly TrackStream[] {
    return this.all.flatMap((track): readonly TrackStream[] => track.streams);
  }

  get byId(): ReadonlyMap<string, Track> {
    return this.#tracks;
  }

  has(id: string): boolean {
    return this.#tracks.has(id);
  }

  /**
   * Resolves an id or a handle to its object, to be held across awaits: an id may be reused, an object not.
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED (the handle's track is gone)
   */
  pin(ref: TrackRef): Track {
    if (typeof ref === 'string') return this.#byId(ref);
    if (!this.#handles.has(ref)) {
      throw new FramelockError(
        'TRACK_NOT_FOUND',
        'this handle was not given by this sender (a copy of one does not count)',
      );
    }
    const track = this.#tracks.get(ref.id);
    if (track?.handle !== ref) throw trackRemoved(ref);
    return track;
  }

  /** The same for whoever can do without the track: nothing where `pin` throws. */
  find(ref: TrackRef): Track | undefined {
    if (typeof ref === 'string') return this.#tracks.get(ref);
    const track = this.#tracks.get(ref.id);
    return track?.handle === ref ? track : undefined;
  }

  /** What is sent with this SSRC, be it media or retransmissions. */
  findBySsrc(ssrc: number): TrackStream | undefined {
    for (const track of this.#tracks.values()) {
      for (const stream of track.streams) if (stream.rtp.ssrc === ssrc || stream.rtp.rtxSsrc === ssrc) return stream;
    }
    return undefined;
  }

  /** Whether this very object, not only its id, is still registered. */
  isCurrent(track: Track): boolean {
    return this.#tracks.get(track.id) === track;
  }

  /** @throws FramelockError TRACK_REMOVED, where `isCurrent` would be false */
  assertCurrent(track: Track): void {
    if (!this.isCurrent(track)) throw trackRemoved(track.handle);
  }

  /** To be called on the exclusive side of tracksMu. */
  add(track: Track): void {
    this.#tracks.set(track.id, track);
    this.#handles.add(track.handle);
  }

  /** To be called on the exclusive side of tracksMu; leaves a successor with the same id alone. */
  remove(track: Track): void {
    if (this.isCurrent(track)) this.#tracks.delete(track.id);
  }

  #byId(id: string): Track {
    const track = this.#tracks.get(id);
    if (track !== undefined) return track;
    const known = [...this.#tracks.keys()].join(', ') || 'none';
    throw new FramelockError('TRACK_NOT_FOUND', `there is no track "${id}" (tracks: ${known})`, {
      context: { trackId: id },
    });
  }
}

function trackRemoved({ id, generation }: TrackHandle): FramelockError {
  return new FramelockError('TRACK_REMOVED', `this track "${id}" (generation ${generation}) has been removed`, {
    context: { trackId: id, generation },
  });
}
