import type { Clock, Timer } from '../../core/clock.js';
import type { RawVideoFrame } from '../../encoder/video-frame.js';
import { TestPatternRenderer } from '../../source/test-pattern/renderer.js';

/** Two seconds of movement, drawn ahead, so that drawing is not measured; played forth and back, so that no cut forces large frames. */
const PICTURES = 60;

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Of most benchmark cameras. */
export const HD: PictureSize = { width: 1280, height: 720 };

/** I420 pictures of one size, shared by all cameras of a benchmark. */
export interface DrawnPictures extends PictureSize {
  readonly pictures: readonly Uint8Array[];
}

/** Pictures of a moving scene. */
export function drawPictures(
  progress: (text: string) => void,
  { width, height }: PictureSize = HD,
  count = PICTURES,
): DrawnPictures {
  const renderer = TestPatternRenderer.create({ width, height, framerate: 30, label: 'BENCH', cameraId: 1 });
  const pictures = Array.from({ length: count }, (_, index) => {
    if (index % 10 === 0) progress(`drawing pictures ${index}/${count}`);
    const data = new Uint8Array((width * height * 3) / 2);
    renderer.render(data, index, 1_700_000_000_000_000 + index * 33_333);
    return data;
  });
  return { width, height, pictures };
}

/** Hands out drawn pictures on an absolute schedule; a late timer skips slots instead of making up for them in a burst. */
export class ReplayedCamera {
  readonly #drawn: DrawnPictures;
  readonly #framerate: number;
  readonly #clock: Clock;
  readonly #deliver: (frame: RawVideoFrame) => void;
  #timer: Timer | undefined;
  #startUs = 0;
  #slot = 0;
  #skipped = 0;

  constructor(init: {
    readonly drawn: DrawnPictures;
    readonly framerate: number;
    readonly clock: Clock;
    readonly deliver: (frame: RawVideoFrame) => void;
  }) {
    this.#drawn = init.drawn;
    this.#framerate = init.framerate;
    this.#clock = init.clock;
    this.#deliver = init.deliver;
  }

  /** Slots that it was too late for. */
  get skipped(): number {
    return this.#skipped;
  }

  /** @param offsetMs shifts the schedule, so that several cameras do not fire together */
  start(offsetMs: number): void {
    this.stop();
    this.#startUs = this.#clock.nowUs() + offsetMs * 1000;
    this.#slot = 0;
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
    const { width, height, pictures } = this.#drawn;
    const turn = this.#slot % (2 * pictures.length);
    const data = pictures[turn < pictures.length ? turn : 2 * pictures.length - 1 - turn];
    if (data !== undefined) {
      this.#deliver({ format: 'I420', codedWidth: width, codedHeight: height, data, timestamp: nowUs });
    }
    const next = Math.max(this.#slot + 1, Math.ceil(((nowUs - this.#startUs) * this.#framerate) / 1e6));
    this.#skipped += next - this.#slot - 1;
    this.#slot = next;
    this.#schedule();
  }
}
