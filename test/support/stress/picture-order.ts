import type { PeerPicture } from './peer-child.js';
import type { Violations } from './violations.js';

/**
 * Judges what the peer has decoded. A camera numbers its pictures for the whole run, whoever takes them, so within one peer connection they
 * must increase strictly: over encoder swaps, and over the lives of the tracks that carried them.
 */
export class PictureOrder {
  total = 0;
  /** Pictures without a bar code that can be read. */
  unreadable = 0;
  /** Decoded pictures by camera. */
  readonly decodedBy = new Map<number, number>();
  readonly #violations: Violations;
  /** Number of the newest picture of a camera, by connection and camera. */
  readonly #newest = new Map<string, number>();
  /** Camera of each m-line, by connection and mid. */
  readonly #cameraOf = new Map<string, number>();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  take(pictures: readonly PeerPicture[]): void {
    for (const { connection, mid, code } of pictures) {
      this.total += 1;
      if (code === undefined) {
        this.unreadable += 1;
        continue;
      }
      const { cameraId, frameNumber } = code;
      this.decodedBy.set(cameraId, (this.decodedBy.get(cameraId) ?? 0) + 1);
      const line = `connection ${connection}, m-line ${mid}`;
      const owner = this.#cameraOf.get(line) ?? cameraId;
      this.#cameraOf.set(line, owner);
      if (owner !== cameraId) this.#violations.add('order', `${line} of camera ${owner}: picture of ${cameraId}`);
      const stream = `connection ${connection}, camera ${cameraId}`;
      const newest = this.#newest.get(stream) ?? -1;
      if (frameNumber <= newest) this.#violations.add('order', `${stream}: picture ${frameNumber} after ${newest}`);
      this.#newest.set(stream, Math.max(newest, frameNumber));
    }
  }
}
