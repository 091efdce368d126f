import { FramelockError } from '../../core/errors.js';
import { MAX_TRACKS } from '../schema/allocation-schema.js';
import type { TrackSpec } from '../schema/publisher-schema.js';
import type { PublishedTrack } from './published-track.js';
import { RetiredIds } from './retired-ids.js';

/** Ids of removed tracks that are remembered. */
const RETIRED_TRACKS = 256;

/** Which of those that have had an id is meant, and which of its encodings. @default the present one, and all */
export interface EncodingRef {
  readonly generation?: number | undefined;
  readonly rid?: string | undefined;
}

/**
 * The cameras of a publisher by id. An id is taken from the call that asks for a camera until the end of its removal; afterwards it is known as
 * gone until another camera takes it.
 *
 * Owner: the publisher. It changes only in synchronous code, so that finding a track and pinning it are one step.
 */
export class PublisherTracks {
  readonly #publisherId: string;
  readonly #make: (spec: TrackSpec, generation: number) => PublishedTrack;
  readonly #nextGeneration: () => number;
  readonly #tracks = new Map<string, PublishedTrack>();
  readonly #retired = new RetiredIds(RETIRED_TRACKS);

  /** @param nextGeneration numbers that no other track gets, of this publisher or of another one of its id */
  constructor(
    publisherId: string,
    nextGeneration: () => number,
    make: (spec: TrackSpec, generation: number) => PublishedTrack,
  ) {
    this.#publisherId = publisherId;
    this.#nextGeneration = nextGeneration;
    this.#make = make;
  }

  /** In the order in which they were asked for. */
  get all(): readonly PublishedTrack[] {
    return [...this.#tracks.values()];
  }

  /** Takes an id for a new camera, which is not started yet. @throws FramelockError TRACK_EXISTS, LIMIT_REACHED */
  take(spec: TrackSpec): PublishedTrack {
    const { id } = spec;
    if (this.#tracks.has(id)) {
      throw new FramelockError('TRACK_EXISTS', `there is a track "${id}" in publisher "${this.#publisherId}" already`, {
        context: { trackId: id, publisherId: this.#publisherId },
      });
    }
    if (this.#tracks.size >= MAX_TRACKS) {
      throw new FramelockError('LIMIT_REACHED', `a publisher has ${MAX_TRACKS} tracks at the most: remove one first`, {
        context: { publisherId: this.#publisherId, limit: MAX_TRACKS },
      });
    }
    const track = this.#make(spec, this.#nextGeneration());
    this.#tracks.set(id, track);
    return track;
  }

  /**
   * The track that has this id now.
   * @param generation if given, only that one is meant
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED
   */
  pin(id: string, generation?: number): PublishedTrack {
    const track = this.#tracks.get(id);
    if (track !== undefined && (generation === undefined || generation === track.generation)) return track;
    const context = { trackId: id, publisherId: this.#publisherId };
    const isGone = track === undefined ? this.#retired.has(id) : (generation ?? 0) < track.generation;
    if (isGone) throw new FramelockError('TRACK_REMOVED', `track "${id}" has been removed`, { context });
    const known = [...this.#tracks.keys()].join(', ');
    const hint = known === '' ? 'it has none' : `it has ${known}`;
    throw new FramelockError('TRACK_NOT_FOUND', `publisher "${this.#publisherId}" has no track "${id}"; ${hint}`, {
      context,
    });
  }

  /** Gives an id back, once its track has been removed or could not be started. */
  release(track: PublishedTrack): void {
    if (this.#tracks.get(track.id) !== track) return;
    this.#tracks.delete(track.id);
    this.#retired.add(track.id);
  }
}
