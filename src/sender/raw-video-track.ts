import { FramelockError } from '../core/errors.js';
import { encodedSize } from '../encoder/encoded-size.js';
import type {
  EncodedVideoChunk,
  VideoCodec,
  VideoEncoder,
  VideoEncoderConfig,
  VideoEncoderFactory,
} from '../encoder/encoder.js';
import { validateEncoderConfig, validateFrame } from '../encoder/validate-frame.js';
import type { RawVideoFrame } from '../encoder/video-frame.js';
import { EncoderTrack, type EncoderTrackInit, type FreshEncoder } from './encoder-track.js';
import type { FrameSize } from './outbound-track.js';
import { type DegradationPreference, ResolutionGovernor } from './resolution-governor.js';
import type { ThreadBudget } from './thread-budget.js';
import { encoderBitrate, TrackControls } from './track-controls.js';

/** One frame waits at the most, and the newest wins. */
const MAILBOX_CAPACITY = 1;

/** What a camera is made of. */
export interface RawVideoTrackInit extends EncoderTrackInit {
  readonly config: VideoEncoderConfig;
  /** Opens this track's encoders, the first and every later one. */
  readonly encoders: VideoEncoderFactory;
  readonly degradationPreference: DegradationPreference;
  /** Codecs that it may change to while it runs. */
  readonly alternativeCodecs: readonly VideoCodec[];
  /** Gives encoders their threads, unless `config` does. */
  readonly threads: Pick<ThreadBudget, 'threadsFor'>;
}

/** What can be changed of a camera while it runs. What is left out stays as it is. */
export type VideoConfigChange = Partial<
  Pick<VideoEncoderConfig, 'codec' | 'width' | 'height' | 'format' | 'framerate'>
>;

/** The same, and what the track changes of itself. */
type EncoderConfigChange = VideoConfigChange & Pick<VideoEncoderConfig, 'scaleResolutionDownBy'>;

/** A camera: raw pictures in. */
export class RawVideoTrack extends EncoderTrack<RawVideoFrame, EncodedVideoChunk, VideoEncoder> {
  readonly stereo = false;
  /** What encoders are opened with. Changed with the exchange of the encoder, on the exclusive side of encoderMu. */
  #config: VideoEncoderConfig;
  #revision = 0;
  readonly #degradationPreference: DegradationPreference;
  #governor: ResolutionGovernor;
  /** As of the last frame; written by the encode loop. */
  #headroomUs: number | undefined;
  readonly #encoders: VideoEncoderFactory;
  readonly #codecs: readonly VideoCodec[];
  readonly #controls: TrackControls;
  readonly #threads: RawVideoTrackInit['threads'];
  #encoderThreads = 1;

  constructor(init: RawVideoTrackInit) {
    super(init, init.config.codec, MAILBOX_CAPACITY);
    this.#config = init.config;
    this.#encoders = init.encoders;
    this.#codecs = [...new Set([init.config.codec, ...init.alternativeCodecs])];
    this.#degradationPreference = init.degradationPreference;
    this.#governor = this.#createGovernor();
    this.#controls = new TrackControls(init.config.bitrateBps);
    this.#threads = init.threads;
  }

  override get alternatives(): readonly VideoCodec[] {
    return this.#codecs.filter((codec) => codec !== this.#config.codec);
  }

  /** Of the pictures that are sent. */
  get frameSize(): FrameSize {
    return encodedSize(this.#config);
  }

  /** Threads of the encoder that was opened last. */
  get encoderThreads(): number {
    return this.#encoderThreads;
  }

  get targetBps(): number {
    return this.#controls.targetBps;
  }

  protected get encoderTargetBps(): number {
    return encoderBitrate(this.targetBps);
  }

  protected setTarget(targetBps: number): void {
    this.#controls.setTarget(targetBps);
  }

  requestKeyFrame(fromUs = 0): void {
    this.#controls.requestKeyFrame(fromUs);
  }

  applyControls(encoder: VideoEncoder): void {
    this.#headroomUs = encoder.limitation?.headroomUs;
    this.#controls.applyTo(encoder, this.host.clock.nowUs());
  }

  /**
   * Takes a frame without waiting. A frame that is refused by an error still belongs to the caller; any other one is reported exactly once.
   * @throws FramelockError INVALID_FRAME, FRAME_SIZE_MISMATCH
   */
  accept(frame: RawVideoFrame): void {
    this.check(() => validateFrame(frame, this.#config));
    this.enqueue(this.#privateCopy(frame));
  }

  /**
   * A private copy of a change that encoders can take.
   * @throws FramelockError INVALID_ARGUMENT, CODEC_UNSUPPORTED
   */
  checkedChange({ codec, width, height, format, framerate }: VideoConfigChange): VideoConfigChange {
    if (codec !== undefined) this.#assertCodec(codec);
    const change = {
      ...(codec === undefined ? {} : { codec }),
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
      ...(format === undefined ? {} : { format }),
      ...(framerate === undefined ? {} : { framerate }),
    };
    this.check(() => validateEncoderConfig({ ...this.#config, ...change }));
    return change;
  }

  /**
   * Opens an encoder for other frames than the ones that come now. With its installation the track takes those; a frame of the former kind
   * that still waits is dropped.
   * @throws FramelockError ENCODER_OPEN_FAILED, CODEC_UNSUPPORTED
   */
  async openReconfigured(bitrateBps: number, change: EncoderConfigChange): Promise<FreshEncoder> {
    const { revision } = this;
    const config = this.#changed(change);
    const encoder = await this.#open(config, bitrateBps);
    return this.fresh(encoder, revision, () => {
      const former = this.#config;
      this.#config = config;
      this.changeCodec(config.codec);
      this.#revision += 1;
      this.counters.limitation.scaled((config.scaleResolutionDownBy ?? 1) > 1, this.host.clock.nowUs());
      if (isSameInput(former, config)) return;
      this.dropWaiting('reconfigured');
      this.#governor = this.#createGovernor();
    });
  }

  /** How far the picture should be scaled down from now on; nothing if it is so already. */
  rescaling(nowUs: number): number | undefined {
    if (this.paused || !this.rtp.connected || this.failure !== undefined) {
      this.#governor.restart();
      return undefined;
    }
    const { framesEncoded, framesDropped } = this.counters;
    const framesSkipped = framesDropped['rate-control'];
    const { targetBps } = this;
    const headroomUs = this.#headroomUs;
    const scale = this.#governor.update({ nowUs, framesEncoded, framesSkipped, targetBps, headroomUs });
    return scale === (this.#config.scaleResolutionDownBy ?? 1) ? undefined : scale;
  }

  #assertCodec(codec: VideoCodec): void {
    const known = this.#codecs.join(', ');
    const reason = !this.#codecs.includes(codec)
      ? `it was added for ${known}`
      : this.rtp.accepts(codec)
        ? undefined
        : 'the peer has not agreed to it';
    if (reason === undefined) return;
    throw new FramelockError('CODEC_UNSUPPORTED', `track "${this.id}" cannot change to ${String(codec)}: ${reason}`, {
      context: { trackId: this.id, codec: String(codec) },
    });
  }

  #createGovernor(): ResolutionGovernor {
    const { width, height } = this.#config;
    return new ResolutionGovernor(this.#degradationPreference, width * height);
  }

  /** A picture of another size begins unscaled. */
  #changed(change: EncoderConfigChange): VideoEncoderConfig {
    const config = { ...this.#config, ...change };
    return isSameInput(config, this.#config) ? config : { ...config, scaleResolutionDownBy: 1 };
  }

  protected override get revision(): number {
    return this.#revision;
  }

  protected openEncoder(bitrateBps: number): Promise<VideoEncoder> {
    return this.#open(this.#config, bitrateBps);
  }

  #open(config: VideoEncoderConfig, bitrateBps: number): Promise<VideoEncoder> {
    const threads = config.threads ?? this.#threads.threadsFor(this, config);
    this.#encoderThreads = threads;
    return this.#encoders.open({ ...config, threads, bitrateBps: encoderBitrate(bitrateBps) }, this.input);
  }

  /**
   * A private copy of the frame's description, which the application may reuse. Its `release` runs once, later and outside all locks,
   * whoever asks for it.
   */
  #privateCopy(frame: RawVideoFrame): RawVideoFrame {
    const { format, codedWidth, codedHeight, data, layout, timestamp } = frame;
    let released = false;
    return {
      format,
      codedWidth,
      codedHeight,
      data,
      ...(layout === undefined ? {} : { layout }),
      timestamp,
      release: () => {
        if (released) return;
        released = true;
        if (frame.release !== undefined) this.host.defer(() => frame.release?.());
      },
    };
  }
}

/** Whether the same frames fit both. */
function isSameInput(one: VideoEncoderConfig, other: VideoEncoderConfig): boolean {
  return one.width === other.width && one.height === other.height && one.format === other.format;
}
