import type { VideoEncoder } from '../../encoder/encoder.js';
import { encoderBitrate } from './stream-rates.js';

/**
 * Control values of one video track, latched by controllers at any time and applied by the encode loop between frames, so that no controller
 * ever calls into an encoder that is encoding.
 *
 * Owner: the track. Writers are synchronous; the encode loop is the only reader.
 */
export class TrackControls {
  #targetBps: number;
  /** From when on the next frame is to be a key frame; nothing if none is wanted. */
  #keyFrameFromUs: number | undefined;

  constructor(targetBps: number) {
    this.#targetBps = targetBps;
  }

  /** The latched target in bits per second; 0 while the track is paused, and for a share of less than 1 bit/s. */
  get targetBps(): number {
    return this.#targetBps;
  }

  setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  /** The first frame from `fromUs` on becomes a key frame; several wishes become one, at the earliest time. */
  requestKeyFrame(fromUs: number): void {
    this.#keyFrameFromUs = Math.min(fromUs, this.#keyFrameFromUs ?? fromUs);
  }

  /** Hands the latched values to the encoder; called by the encode loop under the read side of encoderMu, before `read()`. */
  applyTo(encoder: VideoEncoder, nowUs: number): void {
    encoder.setBitrate(encoderBitrate(this.#targetBps));
    if (this.#keyFrameFromUs !== undefined && nowUs >= this.#keyFrameFromUs) {
      this.#keyFrameFromUs = undefined;
      encoder.forceKeyFrame();
    }
  }
}
