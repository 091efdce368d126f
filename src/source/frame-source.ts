import type { RawVideoFrame } from '../encoder/video-frame.js';

/** What a source delivers. */
export interface FrameSourceFormat {
  readonly width: number;
  readonly height: number;
  /** Nominal frame rate in frames per second. */
  readonly framerate: number;
}

/** Where a source puts its frames and its news. Callbacks must return quickly and must not throw. */
export interface FrameSink {
  /** A frame; the sink owns it from here and calls `frame.release` when done. */
  frame(frame: RawVideoFrame): void;
  /** The source ended by itself: with an error, or (a file that does not loop) without. Called at most once. */
  ended(error?: Error): void;
}

/** A producer of raw frames: a test pattern, a file, a camera. */
export interface FrameSource {
  /** A short name for people, for example `test-pattern` or the file's name. */
  readonly name: string;
  /** Known once `start()` has resolved. */
  readonly format: FrameSourceFormat;
  /**
   * Starts delivering frames in real time, each stamped with its capture time.
   * @throws FramelockError SOURCE_NOT_FOUND, SOURCE_FAILED
   */
  start(sink: FrameSink): Promise<void>;
  /** Idempotent. After it resolves no callback of the sink is running or will run. */
  stop(): Promise<void>;
}
