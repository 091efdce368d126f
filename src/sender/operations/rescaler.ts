import { isFramelockError } from '../../core/errors.js';
import { CameraLayer } from '../tracks/camera-layer.js';
import type { TrackStream } from '../tracks/track.js';

/** An encoder that could not be opened is not asked for again before. */
const RETRY_AFTER_US = 10_000_000;

/** Scales the pictures of cameras as their governors say, one change a camera at a time. Owner: the sender's heartbeat. */
export class Rescaler {
  readonly #rescale: (layer: CameraLayer, scale: number) => Promise<void>;
  readonly #failed: (layer: CameraLayer, error: unknown) => void;
  readonly #changing = new WeakSet<CameraLayer>();
  /** When to try again where it could not be done. */
  readonly #notBeforeUs = new WeakMap<CameraLayer, number>();

  /**
   * @param rescale does it
   * @param failed told if it cannot be done; it is tried again after a while
   */
  constructor(
    rescale: (layer: CameraLayer, scale: number) => Promise<void>,
    failed: (layer: CameraLayer, error: unknown) => void,
  ) {
    this.#rescale = rescale;
    this.#failed = failed;
  }

  check(streams: readonly TrackStream[], nowUs: number): void {
    for (const layer of streams) {
      if (!(layer instanceof CameraLayer) || this.#changing.has(layer)) continue;
      if (nowUs < (this.#notBeforeUs.get(layer) ?? 0)) continue;
      const scale = layer.rescaling(nowUs);
      if (scale !== undefined) void this.#change(layer, scale, nowUs);
    }
  }

  async #change(layer: CameraLayer, scale: number, nowUs: number): Promise<void> {
    this.#changing.add(layer);
    try {
      await this.#rescale(layer, scale);
    } catch (error) {
      const isGone = isFramelockError(error, 'CLOSED') || isFramelockError(error, 'TRACK_REMOVED');
      this.#notBeforeUs.set(layer, nowUs + RETRY_AFTER_US);
      if (!isGone) this.#failed(layer, error);
    } finally {
      this.#changing.delete(layer);
    }
  }
}
