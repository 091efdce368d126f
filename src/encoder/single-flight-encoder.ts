import { describeError, FramelockError } from '../core/errors.js';
import type { EncodedVideoChunk, FrameInput, ReadResult, VideoEncoder, VideoEncoderConfig } from './encoder.js';
import { EncoderControls, type EncodeWish } from './encoder-controls.js';
import type { NativeEncoder } from './native-encoder.js';
import { PicturePacker } from './picture-packer.js';
import type { RateControl } from './rate-control.js';
import type { RateLimitation } from './rate-limitation.js';
import { SingleFlight } from './single-flight.js';
import { hasLayers, TemporalPattern } from './temporal-layers.js';
import { assertUntouched, validateFrame } from './validate-frame.js';
import type { RawVideoFrame } from './video-frame.js';

/** The parts of a {@link SingleFlightEncoder}. */
export interface SingleFlightEncoderParts {
  readonly config: Readonly<VideoEncoderConfig>;
  /** Name of what encodes, for example `libvpx`. */
  readonly implementation: string;
  readonly input: FrameInput;
  /** Owned from here on: freed by `close()` and nowhere else. */
  readonly native: NativeEncoder;
  readonly rateControl: RateControl;
}

/**
 * The discipline around a native video encoder: frames are checked before native code sees them, one job is in flight at most (see
 * {@link SingleFlight}), and input frames are released exactly once.
 *
 * Every field is owned by this object and touched on the JavaScript thread only.
 */
export class SingleFlightEncoder implements VideoEncoder {
  readonly config: Readonly<VideoEncoderConfig>;
  readonly implementation: string;
  readonly #input: FrameInput;
  readonly #native: NativeEncoder;
  readonly #rateControl: RateControl;
  readonly #flight: SingleFlight;
  readonly #packer = new PicturePacker();
  readonly #controls: EncoderControls;
  readonly #layers: TemporalPattern;
  #encodedFrames = 0;

  constructor({ config, implementation, input, native, rateControl }: SingleFlightEncoderParts) {
    this.config = config;
    this.implementation = implementation;
    this.#input = input;
    this.#native = native;
    this.#rateControl = rateControl;
    this.#flight = new SingleFlight(implementation, () => native.free());
    this.#controls = new EncoderControls(config.bitrateBps);
    this.#layers = new TemporalPattern(config.scalabilityMode);
  }

  get limitation(): RateLimitation | undefined {
    return this.#rateControl.limitation;
  }

  read(): Promise<ReadResult> {
    return this.#flight.read(this.#input, (frame) => this.#encode(frame));
  }

  /** @throws FramelockError INVALID_BITRATE */
  setBitrate(bitrateBps: number): void {
    if (!this.#flight.closed) this.#controls.setBitrate(bitrateBps);
  }

  forceKeyFrame(): void {
    this.#controls.forceKeyFrame();
  }

  close(): Promise<void> {
    return this.#flight.close();
  }

  /** Encodes the frame and releases it; undefined if rate control skipped it. */
  async #encode(frame: RawVideoFrame): Promise<EncodedVideoChunk | undefined> {
    const { timestamp } = frame;
    try {
      validateFrame(frame, this.config);
      return await this.#controls.apply((wish) => this.#encodeAs(wish, frame));
    } catch (error) {
      if (error instanceof FramelockError) throw error;
      throw new FramelockError(
        'ENCODER_FAILED',
        `${this.implementation} failed on the frame captured at ${timestamp} us: ${describeError(error)}.`,
        { cause: error, context: { codec: this.config.codec, timestamp } },
      );
    } finally {
      frame.release?.();
    }
  }

  async #encodeAs({ bitrateBps, keyFrame }: EncodeWish, frame: RawVideoFrame): Promise<EncodedVideoChunk | undefined> {
    this.#rateControl.setTarget(bitrateBps);
    const plannedLayerId = this.#layers.layerOf({ keyFrame });
    const settings = this.#rateControl.plan(frame, keyFrame, plannedLayerId);
    if (settings === undefined) return undefined;

    const { timestamp } = frame;
    const index = this.#encodedFrames;
    this.#encodedFrames += 1;
    const chunk = await this.#native.encode(this.#packer.pack(frame), {
      index,
      timestampUs: timestamp,
      keyFrame,
      discardable: plannedLayerId > 0,
      settings,
    });
    const { data, type, quantizer, discardable = plannedLayerId > 0 } = chunk;
    const temporalLayerId = discardable ? plannedLayerId : 0;
    this.#layers.advance(temporalLayerId);
    try {
      assertUntouched(frame);
    } catch (error) {
      chunk.release();
      throw error;
    }
    this.#rateControl.encoded(data.byteLength, type, quantizer, temporalLayerId);
    return {
      data,
      type,
      timestamp,
      ...(quantizer === undefined ? {} : { quantizer }),
      ...(hasLayers(this.config) ? { svc: { temporalLayerId } } : {}),
      release: () => chunk.release(),
    };
  }
}
