import type { Clock, Timer } from '../../src/core/clock.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';

/** Size of every benchmark camera. */
export const WIDTH = 1280;
export const HEIGHT = 720;
/** Two seconds of movement, drawn ahead, so that drawing is not measured; played forth and back, so that no cut forces large frames. */
const PICTURES = 60;

/** Pictures of a moving scene, shared by all cameras of a benchmark. */
export function drawPictures(progress: (text: string) => void): readonly Uint8Array[] {
  const renderer = TestPatternRenderer.create({
    width: WIDTH,
    height: HEIGHT,
    framerate: 30,
    label: 'BENCH',
    cameraId: 1,
  });
  return Array.from({ length: PICTURES }, (_, index) => {
    if (index % 10 === 0) progress(`drawing pictures ${index}/${PICTURES}`);
    const data = new Uint8Array((WIDTH * HEIGHT * 3) / 2);
    renderer.render(data, index, 1_700_000_000_000_000 + index * 33_333);
    return data;
  });
}

/** Hands out drawn pictures on an absolute schedule; a late timer skips slots instead of making up for them in a burst. */
export class ReplayedCamera {
  readonly #pictures: readonly Uint8Array[];
  readonly #framerate: number;
  readonly #clock: Clock;
  readonly #deliver: (frame: RawVideoFrame) => void;
  #timer: Timer | undefined;
  #startUs = 0;
  #slot = 0;

  constructor(init: {
    readonly pictures: readonly Uint8Array[];
    readonly framerate: number;
    readonly clock: Clock;
    readonly deliver: (frame: RawVideoFrame) => void;
  }) {
    this.#pictures = init.pictures;
    this.#framerate = init.framerate;
    this.#clock = init.clock;
    this.#deliver = init.deliver;
  }

  /** @param offsetMs shifts the schedule, so that several cameras do not fire together */
  start(offsetMs: number): void {
    this.#startUs = this.#clock.nowUs() + offsetMs * 1000;
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    const dueUs = this.#startUs + (this.#slot * 1e6) / this.#framerate;
    this.#timer = this.#clock.setTimer(Math.max(0, (dueUs - this.#clock.nowUs()) / 1000), () => this.#fire());
  }

  #fire(): void {
    const nowUs = this.#clock.nowUs();
    const turn = this.#slot % (2 * PICTURES);
    const data = this.#pictures[turn < PICTURES ? turn : 2 * PICTURES - 1 - turn];
    if (data !== undefined) {
      this.#deliver({ format: 'I420', codedWidth: WIDTH, codedHeight: HEIGHT, data, timestamp: nowUs });
    }
    this.#slot = Math.max(this.#slot + 1, Math.ceil(((nowUs - this.#startUs) * this.#framerate) / 1e6));
    this.#schedule();
  }
}
