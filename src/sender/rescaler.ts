import { isFramelockError } from '../core/errors.js';
import { RawVideoTrack } from './raw-video-track.js';
import type { Track } from './track.js';

/** An encoder that could not be opened is not asked for again before. */
const RETRY_AFTER_US = 10_000_000;

/** Scales the pictures of cameras as their governors say, one change a camera at a time. Owner: the sender's heartbeat. */
export class Rescaler {
  readonly #rescale: (track: RawVideoTrack, scale: number) => Promise<void>;
  readonly #failed: (trackId: string, error: unknown) => void;
  readonly #changing = new WeakSet<RawVideoTrack>();
  /** When to try again where it could not be done. */
  readonly #notBeforeUs = new WeakMap<RawVideoTrack, number>();

  /**
   * @param rescale does it
   * @param failed told if it cannot be done; it is tried again after a while
   */
  constructor(
    rescale: (track: RawVideoTrack, scale: number) => Promise<void>,
    failed: (trackId: string, error: unknown) => void,
  ) {
    this.#rescale = rescale;
    this.#failed = failed;
  }

  check(tracks: readonly Track[], nowUs: number): void {
    for (const track of tracks) {
      if (!(track instanceof RawVideoTrack) || this.#changing.has(track)) continue;
      if (nowUs < (this.#notBeforeUs.get(track) ?? 0)) continue;
      const scale = track.rescaling(nowUs);
      if (scale !== undefined) void this.#change(track, scale, nowUs);
    }
  }

  async #change(track: RawVideoTrack, scale: number, nowUs: number): Promise<void> {
    this.#changing.add(track);
    try {
      await this.#rescale(track, scale);
    } catch (error) {
      const isGone = isFramelockError(error, 'CLOSED') || isFramelockError(error, 'TRACK_REMOVED');
      this.#notBeforeUs.set(track, nowUs + RETRY_AFTER_US);
      if (!isGone) this.#failed(track.id, error);
    } finally {
      this.#changing.delete(track);
    }
  }
}
