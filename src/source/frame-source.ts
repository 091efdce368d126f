import type { RawVideoFrame, VideoPixelFormat } from '../encoder/video-frame.js';

/** What a source delivers. */
export interface FrameSourceFormat {
  readonly width: number;
  readonly height: number;
  /** Nominal frame rate in frames per second. */
  readonly framerate: number;
  /** Of every frame. @default 'I420' */
  readonly pixelFormat?: VideoPixelFormat;
}

/** Where a source puts its frames and its news. Callbacks must return quickly and must not throw. */
export interface FrameSink {
  /** A frame; the sink owns it from here and calls `frame.release` when done. */
  frame(frame: RawVideoFrame): void;
  /** The source ended by itself: with an error, or (a file that does not loop) without. Called at most once. */
  ended(error?: Error): void;
  /**
   * The frames that follow are of another format, which `FrameSource.format` tells already; frames that are not of the one that the sink takes are
   * left out until this has resolved. A source whose sink does not have it ends instead, with SOURCE_FORMAT_CHANGED.
   */
  formatChanged?(format: FrameSourceFormat): void | Promise<void>;
}

/** Whether frames of the one format can go where those of the other go; a nominal rate that differs a little is no other format. */
export function isSameFormat(one: FrameSourceFormat, other: FrameSourceFormat): boolean {
  return (
    one.width === other.width &&
    one.height === other.height &&
    (one.pixelFormat ?? 'I420') === (other.pixelFormat ?? 'I420') &&
    Math.abs(one.framerate / other.framerate - 1) <= FRAMERATE_TOLERANCE
  );
}

/** Rates that were measured from the first pictures of a stream come out a little different each time. */
const FRAMERATE_TOLERANCE = 0.25;

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
