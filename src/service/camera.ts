import { LateCompletions } from '../concurrency/late-completions.js';
import { Lifetime } from '../concurrency/lifetime.js';
import { Sequencer } from '../concurrency/sequencer.js';
import { describeError, FramelockError, isFramelockError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { VideoCodec } from '../encoder/encoder.js';
import type { ScalabilityMode } from '../encoder/temporal-layers.js';
import type { RawVideoFrame } from '../encoder/video-frame.js';
import type { CameraSize } from '../loopback/status.js';
import type { DegradationPreference } from '../sender/encoding/resolution-governor.js';
import type { RtcSender } from '../sender/rtc-sender.js';
import type { EncodingSpec } from '../sender/tracks/encodings.js';
import type { TrackHandle } from '../sender/tracks/track-handle.js';
import { type FrameSource, type FrameSourceFormat, isSameFormat } from '../source/frame-source.js';

/** A camera: a source and the track that it feeds. */
export interface CameraSpec {
  readonly trackId: string;
  readonly codec: VideoCodec;
  /** Codecs that it can change to while it runs; its own may be among them. @default none */
  readonly alternativeCodecs?: readonly VideoCodec[];
  readonly source: FrameSource;
  /** For a camera whose size can change while it runs. @default it keeps the size of its source */
  readonly resizable?: {
    /** Every size that it can have, that of its source among them. */
    readonly sizes: readonly CameraSize[];
    /** The same camera at one of these sizes, not started yet. */
    source(size: CameraSize): FrameSource;
  };
  /** What gives way when the rate is too low for its picture. @default 'balanced' */
  readonly degradationPreference?: DegradationPreference;
  /** Sends it as simulcast. @default one encoding, without a rid */
  readonly encodings?: readonly EncodingSpec[];
  /** Its temporal layers. @default 'L1T1', none */
  readonly scalabilityMode?: ScalabilityMode;
  /** Told when its source has ended by itself, with the reason if that was a failure. Must not throw. @default nobody */
  readonly ended?: (error?: Error) => void;
}

/**
 * Joins a source to a track of the same name. The source starts first, since its format decides how the encoder is opened; what it delivers
 * before the track exists is given back at once.
 *
 * Owner: the program that composed it.
 */
export class Camera {
  readonly trackId: string;
  readonly #spec: CameraSpec;
  readonly #sender: RtcSender;
  readonly #logger: Logger;
  readonly #late = new LateCompletions();
  readonly #lifetime: Lifetime;
  readonly #resizes = new Sequencer();
  /** Those that run: one, or two while the size changes. */
  readonly #running = new Set<FrameSource>();
  #source: FrameSource;
  #track: TrackHandle | undefined;
  /** What the track takes. */
  #trackFormat: FrameSourceFormat | undefined;
  #refused = 0;

  constructor(spec: CameraSpec, sender: RtcSender, logger: Logger) {
    this.trackId = spec.trackId;
    this.#spec = spec;
    this.#source = spec.source;
    this.#sender = sender;
    this.#logger = logger;
    this.#lifetime = new Lifetime(`camera ${spec.trackId}`, this.#late);
  }

  /** What the camera is, for people. */
  get sourceName(): string {
    return this.#source.name;
  }

  /** What it can be encoded with. */
  get codecs(): readonly VideoCodec[] {
    const { codec, alternativeCodecs = [] } = this.#spec;
    return alternativeCodecs.includes(codec) ? alternativeCodecs : [codec, ...alternativeCodecs];
  }

  /** Size of its pictures, before any scaling. */
  get size(): CameraSize {
    const { width, height } = this.#source.format;
    return { width, height };
  }

  /** The track that it feeds; `undefined` until {@link Camera.addTrack} has resolved. */
  get track(): TrackHandle | undefined {
    return this.#track;
  }

  /** Every size that it can have. */
  get sizes(): readonly CameraSize[] {
    return this.#spec.resizable?.sizes ?? [this.size];
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
    await this.#start(this.#source);
  }

  /** Adds the track, once the source has started, and lets its frames in. @throws FramelockError as `RtcSender.addVideoTrack` */
  async addTrack(): Promise<void> {
    const { codec, alternativeCodecs = [], degradationPreference = 'balanced' } = this.#spec;
    const { encodings, scalabilityMode } = this.#spec;
    const asked = this.#source.format;
    const { width, height, framerate, pixelFormat = 'I420' } = asked;
    this.#track = await this.#sender.addVideoTrack({
      id: this.trackId,
      codec,
      alternativeCodecs,
      width,
      height,
      framerate,
      format: pixelFormat,
      degradationPreference,
      ...(encodings === undefined ? {} : { encodings }),
      ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
    });
    this.#trackFormat = asked;
    // The pictures may have changed while the encoder was opened.
    await this.#follow(this.#source);
  }

  /**
   * Changes the size of the picture, live: the source of the new size starts beside the present one, which stops when the track has changed.
   * If that fails all is as before. One change at a time; later ones wait.
   * @throws FramelockError INVALID_ARGUMENT (not one of its sizes), CLOSED, and as `FrameSource.start` and `RtcSender.reconfigureTrack`
   */
  resize(size: CameraSize): Promise<void> {
    return this.#resizes.run(() => this.#resize(size));
  }

  /** Idempotent. From the call on nothing that the sources deliver is sent. */
  async stop(): Promise<void> {
    this.#lifetime.end();
    await Promise.all([...this.#running].map((source) => source.stop()));
  }

  async #resize(size: CameraSize): Promise<void> {
    const track = this.#track;
    const former = this.#source;
    if (this.#lifetime.ended || track === undefined) {
      throw new FramelockError('CLOSED', `camera ${this.trackId} does not run`);
    }
    if (isSameSize(size, this.size)) return;
    const next = this.#sourceOf(size);
    try {
      await this.#start(next);
      await this.#sender.reconfigureTrack(track, { width: size.width, height: size.height });
    } catch (error) {
      await this.#stop(next);
      throw error;
    }
    this.#source = next;
    this.#trackFormat = next.format;
    await this.#stop(former);
  }

  /** Gives the track the format that its source has now. @throws FramelockError as `RtcSender.reconfigureTrack` */
  async #follow(source: FrameSource): Promise<void> {
    const track = this.#track;
    const present = this.#trackFormat;
    if (track === undefined || present === undefined || source !== this.#source || this.#lifetime.ended) return;
    const { format } = source;
    if (isSameFormat(present, format)) return;
    const { width, height, framerate, pixelFormat = 'I420' } = format;
    await this.#sender.reconfigureTrack(track, { width, height, framerate, format: pixelFormat });
    this.#trackFormat = format;
  }

  #sourceOf(size: CameraSize): FrameSource {
    const { resizable } = this.#spec;
    if (resizable?.sizes.some((candidate) => isSameSize(candidate, size))) return resizable.source(size);
    const sizes = this.sizes.map(({ width, height }) => `${width}x${height}`).join(', ');
    const message = `camera ${this.trackId} has no size ${size.width}x${size.height}; it has ${sizes}`;
    throw new FramelockError('INVALID_ARGUMENT', message, { context: { trackId: this.trackId, ...size } });
  }

  async #start(source: FrameSource): Promise<void> {
    this.#running.add(source);
    await source.start({
      frame: (frame) => this.#frame(frame),
      ended: this.#lifetime.guard('end', (error?: Error) => {
        const why = error === undefined ? 'it has ended' : describeError(error);
        this.#logger.warn(`camera ${this.trackId}: no more pictures: ${why}`);
        this.#spec.ended?.(error);
      }),
      formatChanged: () => this.#resizes.run(() => this.#follow(source)),
    });
  }

  async #stop(source: FrameSource): Promise<void> {
    await source.stop();
    this.#running.delete(source);
  }

  #frame(frame: RawVideoFrame): void {
    const track = this.#track;
    if (!this.#lifetime.enter('frame') || track === undefined) {
      frame.release?.();
      return;
    }
    try {
      this.#sender.sendFrame(track, frame);
    } catch (error) {
      // The frame is still ours.
      frame.release?.();
      // While the size changes there are frames of both, and the track takes those of the one or of the other.
      if (this.#running.size > 1 && isFramelockError(error, 'FRAME_SIZE_MISMATCH')) return;
      // A refusal repeats with every frame: said once.
      this.#refused += 1;
      if (this.#refused === 1) this.#logger.error(`camera ${this.trackId}: ${describeError(error)}`);
    }
  }
}

function isSameSize(one: CameraSize, other: CameraSize): boolean {
  return one.width === other.width && one.height === other.height;
}
