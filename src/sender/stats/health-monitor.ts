import type { Track } from '../tracks/track.js';
import type { TrackHealth } from './track-health.js';

/** Compares the health of every track with what was told last, and tells what changed. Owner: the sender's heartbeat. */
export class HealthMonitor {
  readonly #changed: (track: Track, health: TrackHealth) => void;
  readonly #told = new WeakMap<Track, TrackHealth>();

  constructor(changed: (track: Track, health: TrackHealth) => void) {
    this.#changed = changed;
  }

  check(tracks: readonly Track[], nowUs: number): void {
    for (const track of tracks) {
      const health = track.health(nowUs);
      if (this.#told.get(track) === health) continue;
      this.#told.set(track, health);
      this.#changed(track, health);
    }
  }
}

/** Health that is a fault of the sending side; a camera without input, or a paused one, is none. */
export function isFault(health: TrackHealth): boolean {
  return health === 'stalled' || health === 'failed';
}
