import type { Clock, Timer } from '../../core/clock.js';

/** Between two key frames that are asked for, whatever tracks they are of: all at once would be a burst on the way to the SFU. */
export const WISH_INTERVAL_MS = 250;
/** Between two key frames of the same track: what the viewers need must not take the rate of the SFU. */
export const TRACK_INTERVAL_MS = 3_000;

/**
 * Collects the wishes of viewers for key frames, and passes them on one after the other, far apart: a key frame takes as much of the uplink as ten other
 * frames, and viewers are not what the uplink is for.
 *
 * Owner: the preview room. All calls are synchronous.
 */
export class KeyFrameWishes {
  readonly #clock: Clock;
  readonly #request: (trackId: string) => void;
  readonly #wanted = new Set<string>();
  /** Those that are too young to be repeated. */
  readonly #requestedAtUs = new Map<string, number>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(clock: Clock, request: (trackId: string) => void) {
    this.#clock = clock;
    this.#request = request;
  }

  /** One of many for a track that still waits changes nothing. */
  add(trackId: string): void {
    if (this.#isClosed) return;
    this.#wanted.add(trackId);
    if (this.#timer === undefined) this.#next();
  }

  /** Forgets what nobody waits for any more. */
  clear(): void {
    this.#wanted.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Idempotent; nothing is asked for afterwards. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  #next(): void {
    this.#timer = undefined;
    const nowUs = this.#clock.nowUs();
    for (const [trackId, requestedAtUs] of this.#requestedAtUs) {
      if (nowUs - requestedAtUs >= TRACK_INTERVAL_MS * 1000) this.#requestedAtUs.delete(trackId);
    }
    if (this.#wanted.size === 0) return;
    // Not for as long as those that wait must: another track may be wished for meanwhile.
    this.#timer = this.#clock.setTimer(WISH_INTERVAL_MS, () => this.#next());
    const due = [...this.#wanted].find((trackId) => !this.#requestedAtUs.has(trackId));
    if (due === undefined) return;
    this.#wanted.delete(due);
    this.#requestedAtUs.set(due, nowUs);
    this.#request(due);
  }
}
