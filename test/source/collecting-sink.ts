import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { type BarCode, readBarCode } from '../../src/source/bar-code.js';
import type { FrameSink } from '../../src/source/frame-source.js';

/** A sink that notes what it gets and releases every frame at once. */
export class CollectingSink implements FrameSink {
  readonly timestamps: number[] = [];
  readonly codes: (BarCode | undefined)[] = [];
  /** One entry a call of `ended`. */
  readonly endings: (Error | undefined)[] = [];
  /** Called with each frame before it is released. */
  onFrame: (frame: RawVideoFrame) => void = () => {};

  frame(frame: RawVideoFrame): void {
    this.timestamps.push(frame.timestamp);
    this.codes.push(readBarCode(frame.data, frame.codedWidth, frame.codedHeight));
    this.onFrame(frame);
    frame.release?.();
  }

  ended(error?: Error): void {
    this.endings.push(error);
  }

  /** The frame numbers read from the bar codes. */
  get frameNumbers(): (number | undefined)[] {
    return this.codes.map((code) => code?.frameNumber);
  }
}
