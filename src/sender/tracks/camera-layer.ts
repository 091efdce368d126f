import type { LayerDemand } from '../../congestion/allocator/layer-division.js';
import { layerLimits } from '../../congestion/allocator/layer-limits.js';
import { FramelockError } from '../../core/errors.js';
import { encodedSize } from '../../encoder/encoded-size.js';
import type {
  EncodedVideoChunk,
  VideoCodec,
  VideoEncoder,
  VideoEncoderConfig,
  VideoEncoderFactory,
} from '../../encoder/encoder.js';
import { assertCodecHasLayers, type ScalabilityMode } from '../../encoder/temporal-layers.js';
import { validateEncoderConfig, validateFrame } from '../../encoder/validate-frame.js';
import type { RawVideoFrame } from '../../encoder/video-frame.js';
import { EncoderStream, type EncoderStreamInit, type FreshEncoder } from '../encoding/encoder-stream.js';
import { type DegradationPreference, ResolutionGovernor } from '../encoding/resolution-governor.js';
import type { ThreadBudget } from '../operations/thread-budget.js';
import type { FrameSize } from '../outbound/outbound-stream.js';
import { assertSizes, type Encoding } from './encodings.js';
import { encoderBitrate } from './stream-rates.js';
import { TrackControls } from './track-controls.js';

/** One frame waits at the most, and the newest wins. */
const MAILBOX_CAPACITY = 1;

/** What a layer is made of. */
export interface CameraLayerInit extends EncoderStreamInit {
  /** Of its encoders, but for the scale. */
  readonly config: VideoEncoderConfig;
  readonly encoding: Encoding;
  /** Opens its encoders, the first and every later one. */
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

/** The same, and what the layer changes of itself. */
type EncoderConfigChange = VideoConfigChange & Pick<VideoEncoderConfig, 'scaleResolutionDownBy'>;

/** What is sent of a camera in one encoding: raw pictures in, through an encoder of its own. */
export class CameraLayer extends EncoderStream<RawVideoFrame, EncodedVideoChunk, VideoEncoder> {
  /** What encoders are opened with. Changed with the exchange of the encoder, on the exclusive side of encoderMu. */
  #config: VideoEncoderConfig;
  #revision = 0;
  readonly #encoding: Encoding;
  readonly #degradationPreference: DegradationPreference;
  #governor: ResolutionGovernor;
  /** As of the last frame; written by the encode loop. */
  #headroomUs: number | undefined;
  readonly #encoders: VideoEncoderFactory;
  readonly #codecs: readonly VideoCodec[];
  readonly #controls: TrackControls;
  readonly #threads: CameraLayerInit['threads'];
  #encoderThreads = 1;

  /** @throws FramelockError NOT_SUPPORTED for temporal layers of a codec without */
  constructor(init: CameraLayerInit) {
    super(init, init.config.codec, MAILBOX_CAPACITY);
    const { scaleResolutionDownBy, scalabilityMode } = init.encoding;
    this.#config = {
      ...init.config,
      ...(scaleResolutionDownBy === 1 ? {} : { scaleResolutionDownBy }),
      ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
    };
    this.check(() => assertCodecHasLayers(this.#config));
    this.#encoding = init.encoding;
    this.#encoders = init.encoders;
    this.#codecs = [...new Set([init.config.codec, ...init.alternativeCodecs])];
    this.#degradationPreference = init.degradationPreference;
    this.#governor = this.#createGovernor();
    this.#controls = new TrackControls(init.config.bitrateBps);
    this.#threads = init.threads;
  }

  /** That of its encoder. */
  get videoCodec(): VideoCodec {
    return this.#config.codec;
  }

  override get alternatives(): readonly VideoCodec[] {
    return this.#codecs.filter((codec) => codec !== this.#config.codec);
  }

  override get scalabilityMode(): ScalabilityMode | undefined {
    return this.#config.scalabilityMode;
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

  /** @throws FramelockError INVALID_FRAME, FRAME_SIZE_MISMATCH */
  assertFits(frame: RawVideoFrame): void {
    this.check(() => validateFrame(frame, this.#config));
  }

  /** Takes its copy of a frame that fits, without waiting; it is reported exactly once. */
  accept(frame: RawVideoFrame): void {
    this.enqueue(frame);
  }

  /** @throws FramelockError INVALID_ARGUMENT, CODEC_UNSUPPORTED, NOT_SUPPORTED (temporal layers of a codec without) */
  assertChange(change: VideoConfigChange): void {
    if (change.codec !== undefined) this.#assertCodec(change.codec);
    const changed = { ...this.#config, ...change };
    this.check(() => validateEncoderConfig(changed));
    assertSizes(this.id, [this.#encoding], changed);
  }

  /**
   * What it asks for of what its camera has.
   * @param isLargest whether it takes what the others leave over
   */
  demand(isLargest: boolean): LayerDemand {
    const { rid = '', maxBitrate, active } = this.#encoding;
    const { width, height } = encodedSize(this.#config);
    const limits = layerLimits(width * height);
    const maxBps = maxBitrate ?? (isLargest ? Number.POSITIVE_INFINITY : limits.maxBps);
    const minBps = Math.min(limits.minBps, maxBps);
    const targetBps = Math.min(limits.targetBps, maxBps);
    return { rid, minBps, targetBps, maxBps, refusal: active ? this.rtp.refusal : 'inactive' };
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
      this.counters.limitation.scaled(scaleOf(config) > this.#encoding.scaleResolutionDownBy, this.host.clock.nowUs());
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
    const further = this.#governor.update({ nowUs, framesEncoded, framesSkipped, targetBps, headroomUs });
    const scale = further * this.#encoding.scaleResolutionDownBy;
    return scale === scaleOf(this.#config) ? undefined : scale;
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

  /** A picture of another size begins as its encoding has it. */
  #changed(change: EncoderConfigChange): VideoEncoderConfig {
    const config = { ...this.#config, ...change };
    const { scaleResolutionDownBy } = this.#encoding;
    return isSameInput(config, this.#config) ? config : { ...config, scaleResolutionDownBy };
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
}

/** Whether the same frames fit both. */
function isSameInput(one: VideoEncoderConfig, other: VideoEncoderConfig): boolean {
  return one.width === other.width && one.height === other.height && one.format === other.format;
}

function scaleOf({ scaleResolutionDownBy = 1 }: VideoEncoderConfig): number {
  return scaleResolutionDownBy;
}
