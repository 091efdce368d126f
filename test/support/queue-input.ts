import type { FrameInput } from '../../src/encoder/encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';

/** A frame input that hands out pushed frames in order. */
export class QueueInput implements FrameInput {
  readonly #frames: RawVideoFrame[] = [];

  get waiting(): number {
    return this.#frames.length;
  }

  push(...frames: RawVideoFrame[]): void {
    this.#frames.push(...frames);
  }

  take(): RawVideoFrame | undefined {
    return this.#frames.shift();
  }
}
