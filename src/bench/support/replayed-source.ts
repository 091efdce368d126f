import type { Clock } from '../../core/clock.js';
import type { FrameSink, FrameSource } from '../../source/frame-source.js';
import { type DrawnPictures, ReplayedCamera } from './replayed-camera.js';

/** A camera of the service that plays pictures drawn ahead: like one whose pictures come from hardware, it costs the event loop next to nothing. */
export class ReplayedSource implements FrameSource {
  readonly name = 'replayed pictures';
  readonly format;
  readonly #drawn: DrawnPictures;
  readonly #clock: Clock;
  readonly #offsetMs: number;
  #camera: ReplayedCamera | undefined;

  /** @param offsetMs shifts the schedule, so that several cameras do not fire together */
  constructor(drawn: DrawnPictures, framerate: number, clock: Clock, offsetMs: number) {
    this.format = { width: drawn.width, height: drawn.height, framerate };
    this.#drawn = drawn;
    this.#clock = clock;
    this.#offsetMs = offsetMs;
  }

  async start(sink: FrameSink): Promise<void> {
    this.#camera = new ReplayedCamera({
      drawn: this.#drawn,
      framerate: this.format.framerate,
      clock: this.#clock,
      deliver: (frame) => sink.frame(frame),
    });
    this.#camera.start(this.#offsetMs);
  }

  async stop(): Promise<void> {
    this.#camera?.stop();
  }
}
