import type { RealCamera } from './camera.js';
import type { PictureRecord } from './picture-record.js';
import type { Activity } from './sender-child.js';

/** How long a camera was away. */
export interface Pause {
  readonly trackId: string;
  readonly reason: string;
  readonly fromUs: number;
  /** Absent if it never came back. */
  readonly untilUs?: number;
  /** Of the first frame that was sent after it. */
  readonly firstFrame?: 'key' | 'delta';
}

/** What became of each of several cameras. */
export class CameraRecord {
  #pauses: readonly Pause[] = [];

  /** In the order in which they began. */
  get pauses(): readonly Pause[] {
    return this.#pauses;
  }

  activity({ trackId, active, reason, atUs }: Activity): void {
    if (active) this.#amend(trackId, ({ untilUs }) => untilUs === undefined, { untilUs: atUs });
    else this.#pauses = [...this.#pauses, { trackId, reason, fromUs: atUs }];
  }

  back(trackId: string, firstFrame: 'key' | 'delta'): void {
    this.#amend(trackId, (pause) => pause.firstFrame === undefined && pause.untilUs !== undefined, { firstFrame });
  }

  /** Of the camera that is driven by how long it stood, and of the others how long they were away, from `startUs` to `endUs`. */
  figures(
    cameras: readonly RealCamera[],
    pictures: PictureRecord,
    startUs: number,
    endUs: number,
  ): Readonly<Record<string, number>> {
    const [driven, ...others] = cameras;
    if (driven === undefined || others.length === 0) return pictures.figures(startUs, endUs);
    const seen = Object.entries(pictures.figures(startUs, endUs, 1));
    return {
      ...Object.fromEntries(seen.map(([name, value]) => [`${driven.id}_${name}`, value])),
      ...Object.fromEntries(cameras.map(({ id }) => [`${id}_paused_s`, this.#pausedUs(id, startUs, endUs) / 1e6])),
    };
  }

  #pausedUs(trackId: string, startUs: number, endUs: number): number {
    return this.#pauses
      .filter((pause) => pause.trackId === trackId)
      .reduce((sum, { fromUs, untilUs = endUs }) => {
        return sum + Math.max(Math.min(untilUs, endUs) - Math.max(fromUs, startUs), 0);
      }, 0);
  }

  #amend(trackId: string, matches: (pause: Pause) => boolean, change: Partial<Pause>): void {
    const index = this.#pauses.findLastIndex((pause) => pause.trackId === trackId && matches(pause));
    this.#pauses = this.#pauses.map((pause, at) => (at === index ? { ...pause, ...change } : pause));
  }
}
