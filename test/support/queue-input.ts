import type { FrameInput } from '../../src/encoder/encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';

/** A frame input that hands out pushed frames in order. */
export class QueueInput<Frame = RawVideoFrame> implements FrameInput<Frame> {
  readonly #frames: Frame[] = [];

  get waiting(): number {
    return this.#frames.length;
  }

  push(...frames: Frame[]): void {
    this.#frames.push(...frames);
  }

  take(): Frame | undefined {
    return this.#frames.shift();
  }
}
