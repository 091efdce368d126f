import { LateCompletions } from '../concurrency/late-completions.js';
import { Lifetime } from '../concurrency/lifetime.js';
import { describeError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { VideoCodec } from '../encoder/encoder.js';
import type { DegradationPreference } from '../sender/resolution-governor.js';
import type { RtcSender } from '../sender/rtc-sender.js';
import type { TrackHandle } from '../sender/track-handle.js';
import type { FrameSource } from '../source/frame-source.js';

/** A camera: a source and the track that it feeds. */
export interface CameraSpec {
  readonly trackId: string;
  readonly codec: VideoCodec;
  readonly source: FrameSource;
  /** What gives way when the rate is too low for its picture. */
  readonly degradationPreference: DegradationPreference;
}

/**
 * Joins a source to a track of the same name. The source starts first, since its format decides how the encoder is opened; what it delivers
 * before the track exists is given back at once.
 *
 * Owner: the program that composed it.
 */
export class Camera {
  readonly trackId: string;
  readonly source: FrameSource;
  readonly #codec: VideoCodec;
  readonly #degradationPreference: DegradationPreference;
  readonly #sender: RtcSender;
  readonly #logger: Logger;
  readonly #late = new LateCompletions();
  readonly #lifetime: Lifetime;
  #track: TrackHandle | undefined;
  #refused = 0;

  constructor(spec: CameraSpec, sender: RtcSender, logger: Logger) {
    this.trackId = spec.trackId;
    this.source = spec.source;
    this.#codec = spec.codec;
    this.#degradationPreference = spec.degradationPreference;
    this.#sender = sender;
    this.#logger = logger;
    this.#lifetime = new Lifetime(`camera ${spec.trackId}`, this.#late);
  }

  /** What its source still delivered after the stop, by kind. */
  get lateCompletions(): Readonly<Record<string, number>> {
    return this.#late.byKind();
  }

  /** Frames that the sender refused with an error. */
  get refusedFrames(): number {
    return this.#refused;
  }

  /** Opens the source. @throws FramelockError as `FrameSource.start` */
  async startSource(): Promise<void> {
    await this.source.start({
      frame: (frame) => {
        const track = this.#track;
        if (!this.#lifetime.enter('frame') || track === undefined) {
          frame.release?.();
          return;
        }
        try {
          this.#sender.sendFrame(track, frame);
        } catch (error) {
          // The frame is still ours. A refusal repeats with every frame: said once.
          frame.release?.();
          this.#refused += 1;
          if (this.#refused === 1) this.#logger.error(`camera ${this.trackId}: ${describeError(error)}`);
        }
      },
      ended: this.#lifetime.guard('end', (error?: Error) => {
        const why = error === undefined ? 'it has ended' : describeError(error);
        this.#logger.warn(`camera ${this.trackId}: no more pictures: ${why}`);
      }),
    });
  }

  /** Adds the track, once the source has started, and lets its frames in. @throws FramelockError as `RtcSender.addVideoTrack` */
  async addTrack(): Promise<void> {
    const { width, height, framerate } = this.source.format;
    this.#track = await this.#sender.addVideoTrack({
      id: this.trackId,
      codec: this.#codec,
      width,
      height,
      framerate,
      degradationPreference: this.#degradationPreference,
    });
  }

  /** Idempotent. From the call on nothing that the source delivers is sent. */
  async stop(): Promise<void> {
    this.#lifetime.end();
    await this.source.stop();
  }
}
