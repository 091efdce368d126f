import { encodedSize } from '../../encoder/encoded-size.js';
import type { VideoEncoderConfig } from '../../encoder/encoder.js';
import { encoderThreads } from '../../encoder/encoder-threads.js';
import { CameraLayer } from '../tracks/camera-layer.js';
import type { TrackRegistry } from '../tracks/track-registry.js';

/**
 * Shares cores out among the cameras of one sender: each gets an equal part when its encoder is opened, as many as there are cameras by then,
 * and all together never more than there are, but for the one thread that every encoder needs.
 *
 * Owner: the sender. It only reads.
 */
export class ThreadBudget {
  readonly #cores: number;
  readonly #registry: TrackRegistry;

  /** @param cores that the encoders of this sender may use together */
  constructor(cores: number, registry: TrackRegistry) {
    this.#cores = cores;
    this.#registry = registry;
  }

  /** Threads for an encoder that is opened for the layer now. */
  threadsFor(layer: CameraLayer, config: VideoEncoderConfig): number {
    const layers = this.#registry.streams.filter((other) => other instanceof CameraLayer);
    const others = layers.filter((other) => other !== layer);
    const taken = others.reduce((sum, other) => sum + other.encoderThreads, 0);
    const share = Math.floor(this.#cores / (others.length + 1));
    return encoderThreads({ codec: config.codec, ...encodedSize(config) }, Math.min(share, this.#cores - taken));
  }
}
