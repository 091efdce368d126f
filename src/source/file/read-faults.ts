import { AVERROR_EAGAIN, AVERROR_EIO, AVERROR_ENODEV, AVERROR_INVALIDDATA } from 'node-av/constants';
import { FFmpegError } from 'node-av/lib';
import { FramelockError } from '../../core/errors.js';
import type { MediaLocation } from './media-location.js';

/** What reading from a camera comes to when its cable is pulled. */
const UNPLUGGED: readonly number[] = [AVERROR_ENODEV, AVERROR_EIO];
/** Unreadable places in a row after which a file is given up. */
const MAX_READ_ERRORS_IN_A_ROW = 100;

/**
 * What was wrong while a video was read: counts what can be passed over, and says when there is too much of it.
 *
 * Owner: the reader of the video. All calls are synchronous.
 */
export class ReadFaults {
  readonly #location: MediaLocation;
  #damaged = 0;
  #inARow = 0;

  constructor(location: MediaLocation) {
    this.#location = location;
  }

  /** Unreadable places, packets that could not be decoded, and pictures that FFmpeg had to patch up. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Something was passed over. */
  count(): void {
    this.#damaged += 1;
  }

  /** A packet could be read. */
  readable(): void {
    this.#inARow = 0;
  }

  /**
   * A packet could not be read.
   * @param code of FFmpeg, negative
   * @throws FramelockError SOURCE_UNPLUGGED, SOURCE_FAILED: it is not to be passed over
   */
  unreadable(code: number): void {
    const { camera, label } = this.#location;
    if (UNPLUGGED.includes(code) && camera !== undefined) {
      throw new FramelockError('SOURCE_UNPLUGGED', `${label} was unplugged`, { context: { location: label } });
    }
    this.#damaged += 1;
    this.#inARow += 1;
    const passing = code === AVERROR_INVALIDDATA || code === AVERROR_EAGAIN;
    if (!passing || this.#inARow > MAX_READ_ERRORS_IN_A_ROW) this.check(code, 'read');
  }

  /** @throws FramelockError SOURCE_FAILED: a call of FFmpeg has failed */
  check(code: number, action: string): void {
    if (code >= 0) return;
    const { label } = this.#location;
    throw new FramelockError('SOURCE_FAILED', `could not ${action} ${label}: ${FFmpegError.strerror(code)}`, {
      cause: new FFmpegError(code),
      context: { location: label },
    });
  }
}
