import type { Clock } from '../../../src/core/clock.js';
import type { RawVideoFrame } from '../../../src/encoder/video-frame.js';
import { drawBarCode } from '../../../src/source/bar-code.js';
import { FrameBufferPool } from '../../../src/source/frame-buffer-pool.js';
import type { Footage } from '../footage.js';

/** One buffer in the mailbox, one in the encoder, two to spare. */
const BUFFERS = 4;

/** What a camera is made with. */
export interface MarkedCameraInit {
  readonly footage: Footage;
  /** In the bar codes. */
  readonly cameraId: number;
  readonly framerate: number;
  readonly clock: Clock;
  readonly deliver: (frame: RawVideoFrame) => void;
}

/** Plays footage with the capture time of each picture in its bar code, on an absolute schedule, until the process ends; a late timer skips slots. */
export class MarkedCamera {
  readonly #init: MarkedCameraInit;
  readonly #pool: FrameBufferPool;
  readonly #startUs: number;

  constructor(init: MarkedCameraInit) {
    this.#init = init;
    const { width, height } = init.footage;
    this.#pool = new FrameBufferPool(BUFFERS, (width * height * 3) / 2);
    this.#startUs = init.clock.nowUs();
    this.#schedule(0);
  }

  #schedule(slot: number): void {
    const { clock, framerate } = this.#init;
    const dueUs = this.#startUs + (slot * 1e6) / framerate;
    clock.setTimer(Math.max(0, Math.ceil((dueUs - clock.nowUs()) / 1000)), () => {
      const current = Math.max(slot, Math.floor(((clock.nowUs() - this.#startUs) * framerate) / 1e6));
      this.#schedule(current + 1);
      this.#fire(current);
    });
  }

  #fire(slot: number): void {
    const { footage, cameraId, clock, deliver } = this.#init;
    const { width, height } = footage;
    const buffer = this.#pool.acquire();
    if (buffer === undefined) return;
    const timestamp = clock.nowUs();
    buffer.data.set(footage.pictureAt(slot));
    drawBarCode({ data: buffer.data, width, height }, { cameraId, frameNumber: slot, captureTimeUs: timestamp });
    deliver({ format: 'I420', codedWidth: width, codedHeight: height, timestamp, ...buffer });
  }
}
