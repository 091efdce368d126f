import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { CameraSize, SenderStatus } from '../loopback/status.js';
import type { CloseReport } from '../sender/operations/close-report.js';
import { Heartbeat } from '../sender/operations/heartbeat.js';
import type { RtcSender } from '../sender/rtc-sender.js';
import { Camera, type CameraSpec } from '../service/camera.js';
import { senderStatus } from './sender-status.js';

const STATUS_INTERVAL_MS = 1000;

/** What is published, and who is told of it. */
export interface PublishingInit {
  readonly sender: RtcSender;
  readonly cameras: readonly CameraSpec[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly show: (status: SenderStatus) => void;
}

/** Cameras and the sender that they feed, as one thing to start and to stop. Owner: the command. */
export class Publishing {
  readonly #init: PublishingInit;
  readonly #cameras: readonly Camera[];
  readonly #status: Heartbeat;
  readonly #startedAtUs: number;

  constructor(init: PublishingInit) {
    this.#init = init;
    this.#startedAtUs = init.clock.nowUs();
    this.#cameras = init.cameras.map((spec) => new Camera(spec, init.sender, init.logger));
    this.#status = new Heartbeat(init.clock, STATUS_INTERVAL_MS, () => this.#show());
  }

  /** Starts every camera and adds its track. @throws FramelockError as `Camera.startSource` and `addTrack` */
  async start(): Promise<void> {
    await Promise.all(this.#cameras.map((camera) => camera.startSource()));
    // One after the other, so that the SFU and its viewers get them in the order in which they were named.
    for (const camera of this.#cameras) await camera.addTrack();
    this.#status.start();
  }

  /** Changes the size of a camera, live. @throws FramelockError TRACK_NOT_FOUND (no such camera), and as `Camera.resize` */
  async resize(trackId: string, size: CameraSize): Promise<void> {
    const camera = this.#cameras.find((candidate) => candidate.trackId === trackId);
    if (camera === undefined) {
      throw new FramelockError('TRACK_NOT_FOUND', `there is no camera "${trackId}"`, { context: { trackId } });
    }
    await camera.resize(size);
  }

  /** Stops in the order sources, sender, so that nothing new comes while the rest is drained. */
  async stop(): Promise<CloseReport> {
    this.#status.stop();
    await Promise.allSettled(this.#cameras.map((camera) => camera.stop()));
    return this.#init.sender.close();
  }

  #show(): void {
    const { sender, clock, show } = this.#init;
    show(senderStatus(sender.getStats(), this.#cameras, (clock.nowUs() - this.#startedAtUs) / 1000));
  }
}
