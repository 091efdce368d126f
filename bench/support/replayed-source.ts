import type { Clock } from '../../src/core/clock.js';
import type { FrameSink, FrameSource } from '../../src/source/frame-source.js';
import { HEIGHT, ReplayedCamera, WIDTH } from './replayed-camera.js';

/** A camera of the service that plays pictures drawn ahead: like one whose pictures come from hardware, it costs the event loop next to nothing. */
export class ReplayedSource implements FrameSource {
  readonly name = 'replayed pictures';
  readonly format;
  readonly #pictures: readonly Uint8Array[];
  readonly #clock: Clock;
  readonly #offsetMs: number;
  #camera: ReplayedCamera | undefined;

  /** @param offsetMs shifts the schedule, so that several cameras do not fire together */
  constructor(pictures: readonly Uint8Array[], framerate: number, clock: Clock, offsetMs: number) {
    this.format = { width: WIDTH, height: HEIGHT, framerate };
    this.#pictures = pictures;
    this.#clock = clock;
    this.#offsetMs = offsetMs;
  }

  async start(sink: FrameSink): Promise<void> {
    this.#camera = new ReplayedCamera({
      pictures: this.#pictures,
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
