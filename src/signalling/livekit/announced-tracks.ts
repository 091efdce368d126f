import type { SignalledEncoding, SignalledTrack } from '../signaller.js';
import type { AnnouncedLayer, AnnouncedTrack, Quality, RoomTrackName } from './livekit-messages.js';
import type { OfferedMedia } from './offered-media.js';

/**
 * The grades of the smallest encoding and those above it, by how many there are; LiveKit knows no more than three. Who wants a higher grade than there is gets the highest,
 * and all that are below a grade that somebody wants count as wanted (videolayerutils.go, dynacastmanagervideo.go).
 */
const GRADES: readonly (readonly Quality[])[] = [['high'], ['low', 'medium'], ['low', 'medium', 'high']];

/** A track of ours in the room. */
interface RoomTrack {
  readonly trackId: string;
  /** What the server calls it; nothing until it has said so. */
  sid: string | undefined;
  /** By grade; empty where it is not simulcast. */
  readonly rids: ReadonlyMap<Quality, string>;
}

/** A track that is offered, with what is known of it beside the offer. */
interface Described {
  readonly media: OfferedMedia;
  readonly track: SignalledTrack | undefined;
  /** The smallest first. */
  readonly encodings: readonly SignalledEncoding[];
}

/**
 * What the room has been told of our tracks. A track is announced once, before the first offer that has it; one that an offer leaves out is gone from the room with it.
 *
 * Owner: the session. All fields change in synchronous code only.
 */
export class AnnouncedTracks {
  /** By `cid`. As many as there are m-lines that are sent by. */
  readonly #tracks = new Map<string, RoomTrack>();

  /** Whether LiveKit can take each of them. @returns the id of one with too many encodings */
  static tooManyEncodings(offered: readonly OfferedMedia[]): string | undefined {
    return offered.find(({ rids }) => rids.length > GRADES.length)?.cid;
  }

  /** The rids of an offer's simulcast m-lines by mid, the smallest first: by this order LiveKit grades them, unless they are called f, h and q. */
  static ascendingRids(
    offered: readonly OfferedMedia[],
    tracks: readonly SignalledTrack[],
  ): ReadonlyMap<string, readonly string[]> {
    return new Map(
      offered
        .map((media) => describe(media, tracks))
        .map(({ media, encodings }) => [media.mid, encodings.flatMap(({ rid }) => rid ?? [])]),
    );
  }

  /** Forgets what is offered no more, and resolves which of what is offered has to be announced. From here on it counts as announced. */
  offer(offered: readonly OfferedMedia[], tracks: readonly SignalledTrack[]): readonly AnnouncedTrack[] {
    const present = new Set(offered.map(({ cid }) => cid));
    for (const cid of [...this.#tracks.keys()]) if (!present.has(cid)) this.#tracks.delete(cid);
    const fresh = offered.filter(({ cid }) => !this.#tracks.has(cid)).map((media) => describe(media, tracks));
    for (const { media, track, encodings } of fresh) {
      const rids = ridsByGrade(encodings);
      this.#tracks.set(media.cid, { trackId: track?.trackId ?? media.cid, sid: undefined, rids });
    }
    return fresh.map(announcement);
  }

  /** Those that the server has not taken yet, by `cid`. */
  get untaken(): readonly string[] {
    return [...this.#tracks].filter(([, { sid }]) => sid === undefined).map(([cid]) => cid);
  }

  /** Those that it has. */
  get inRoom(): readonly RoomTrackName[] {
    return [...this.#tracks].flatMap(([cid, { sid }]) => (sid === undefined ? [] : [{ cid, sid }]));
  }

  /** The server has taken one. */
  taken(cid: string, sid: string): void {
    const track = this.#tracks.get(cid);
    if (track !== undefined) track.sid = sid;
  }

  /** The server has not taken what it had not taken yet: it has to be announced again. */
  refused(): void {
    for (const cid of this.untaken) this.#tracks.delete(cid);
  }

  /** The encodings of a track that belong to these grades; nothing if there is no such track, or it is not simulcast. */
  wanted(sid: string, grades: ReadonlySet<Quality>): { trackId: string; rids: ReadonlySet<string> } | undefined {
    const track = [...this.#tracks.values()].find((candidate) => candidate.sid === sid);
    if (track === undefined || track.rids.size === 0) return undefined;
    const rids = [...track.rids].filter(([grade]) => grades.has(grade)).map(([, rid]) => rid);
    return { trackId: track.trackId, rids: new Set(rids) };
  }
}

function describe(media: OfferedMedia, tracks: readonly SignalledTrack[]): Described {
  const track = tracks.find(({ trackId }) => trackId === media.cid);
  const unknown = media.rids.length === 0 ? [{}] : media.rids.map((rid) => ({ rid }));
  const encodings = track?.encodings ?? unknown;
  // Where sizes are not known, or the same, the first one offered is the best.
  return { media, track, encodings: encodings.toReversed().toSorted((a, b) => pixelsOf(a) - pixelsOf(b)) };
}

function announcement({ media, track, encodings }: Described): AnnouncedTrack {
  const layers = media.media === 'audio' ? [] : layersOf(encodings);
  const largest = layers.at(-1);
  return {
    cid: media.cid,
    name: track?.trackId ?? media.cid,
    media: media.media,
    codec: media.codec,
    width: largest?.width ?? 0,
    height: largest?.height ?? 0,
    layers,
    stereo: media.stereo,
    dtx: media.dtx,
  };
}

function layersOf(encodings: readonly SignalledEncoding[]): readonly AnnouncedLayer[] {
  const grades = GRADES[encodings.length - 1] ?? [];
  return encodings.flatMap(({ size }, index) => {
    const quality = grades[index];
    return quality === undefined ? [] : [{ quality, width: size?.width ?? 0, height: size?.height ?? 0 }];
  });
}

function ridsByGrade(encodings: readonly SignalledEncoding[]): ReadonlyMap<Quality, string> {
  const grades = GRADES[encodings.length - 1] ?? [];
  return new Map(
    encodings.flatMap(({ rid }, index) => {
      const grade = grades[index];
      return rid === undefined || grade === undefined ? [] : [[grade, rid] as const];
    }),
  );
}

function pixelsOf({ size }: SignalledEncoding): number {
  return size === undefined ? 0 : size.width * size.height;
}
