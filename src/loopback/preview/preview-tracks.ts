import { type PreviewStream, PreviewTrack } from './preview-track.js';

/** What {@link PreviewTracks} ask. Must not throw. */
export interface PreviewTracksInit {
  /** Asks for a key frame of what is shown of a camera. */
  readonly requestKeyFrame: (trackId: string) => void;
  /** The encoding that is to be shown of a camera that is sent in several: asked for each packet. Nothing: the first. */
  readonly shownEncoding: (trackId: string) => string | undefined;
}

/**
 * The streams that are sent now: by their SSRCs, and by the cameras that they are of, of which one at a time is shown.
 *
 * Owner: the preview room. All calls are synchronous.
 */
export class PreviewTracks {
  readonly #init: PreviewTracksInit;
  #byId: ReadonlyMap<string, readonly PreviewTrack[]> = new Map();
  #bySsrc: ReadonlyMap<number, PreviewTrack> = new Map();

  constructor(init: PreviewTracksInit) {
    this.#init = init;
  }

  /** These are all the streams from now on. */
  set(streams: readonly PreviewStream[]): void {
    const tracks = streams.map((stream) => {
      const present = this.#bySsrc.get(stream.ssrc);
      if (present?.isStill(stream) === true) return present;
      return new PreviewTrack(stream, (trackId) => this.#init.requestKeyFrame(trackId));
    });
    this.#byId = new Map(tracks.map(({ id }) => [id, tracks.filter((track) => track.id === id)]));
    this.#bySsrc = new Map(tracks.map((track) => [track.ssrc, track]));
  }

  has(trackId: string): boolean {
    return this.#byId.has(trackId);
  }

  /** Nothing for retransmissions, which have streams of their own. */
  ofSsrc(ssrc: number): PreviewTrack | undefined {
    return this.#bySsrc.get(ssrc);
  }

  /** The stream of a camera that viewers are to see now. */
  shown(trackId: string): PreviewTrack | undefined {
    const [first, ...others] = this.#byId.get(trackId) ?? [];
    if (others.length === 0) return first;
    const rid = this.#init.shownEncoding(trackId);
    return others.find((other) => other.rid === rid) ?? first;
  }
}
