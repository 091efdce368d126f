import { describeError, FramelockError } from '../core/errors.js';
import type { EncodedVideoChunk, FrameInput, ReadResult, VideoEncoder, VideoEncoderConfig } from './encoder.js';
import type { NativeChunk, NativeEncoder } from './native-encoder.js';
import { PicturePacker } from './picture-packer.js';
import type { RateControl } from './rate-control.js';
import { validateBitrate, validateFrame } from './validate-frame.js';
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
 * The discipline around a native encoder: frames are checked before native code sees them, one job is in flight at most, input frames
 * are released exactly once, and native memory is freed in one place, after the last job and the last chunk.
 *
 * Every field is owned by this object and touched on the JavaScript thread only; no lock is needed, since each step up to the next
 * `await` is atomic. `idle` -> `reading` -> `lent` -> `idle`: `lent` while a chunk is out and unreleased.
 */
export class SingleFlightEncoder implements VideoEncoder {
  readonly config: Readonly<VideoEncoderConfig>;
  readonly implementation: string;
  readonly #input: FrameInput;
  readonly #native: NativeEncoder;
  readonly #rateControl: RateControl;
  readonly #packer = new PicturePacker();
  #state: 'idle' | 'reading' | 'lent' = 'idle';
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  #bitrateBps: number;
  /** A stream begins with a key frame. */
  #keyFrameWanted = true;
  #encodedFrames = 0;

  constructor(parts: SingleFlightEncoderParts) {
    this.config = parts.config;
    this.implementation = parts.implementation;
    this.#input = parts.input;
    this.#native = parts.native;
    this.#rateControl = parts.rateControl;
    this.#bitrateBps = parts.config.bitrateBps;
  }

  async read(): Promise<ReadResult> {
    if (this.#closed !== undefined) {
      throw new FramelockError('ENCODER_CLOSED', `The ${this.implementation} encoder is closed; open a new one.`);
    }
    if (this.#state !== 'idle') {
      const reason = this.#state === 'reading' ? 'another read is in flight' : 'its last chunk is not released';
      throw new FramelockError('ENCODER_BUSY', `The ${this.implementation} encoder cannot be read: ${reason}.`);
    }
    const frame = this.#input.take();
    if (frame === undefined) return { kind: 'empty' };

    this.#state = 'reading';
    const { timestamp } = frame;
    let native: NativeChunk | undefined;
    try {
      native = await this.#encode(frame);
    } catch (error) {
      this.#becomeIdle();
      throw error;
    }
    if (native === undefined) {
      this.#becomeIdle();
      return { kind: 'skipped', timestamp };
    }
    this.#state = 'lent';
    return { kind: 'chunk', chunk: this.#lend(native, timestamp) };
  }

  /** @throws FramelockError INVALID_BITRATE */
  setBitrate(bitrateBps: number): void {
    if (this.#closed !== undefined) return;
    validateBitrate(bitrateBps);
    this.#bitrateBps = bitrateBps;
  }

  forceKeyFrame(): void {
    this.#keyFrameWanted = true;
  }

  close(): Promise<void> {
    this.#closed ??= this.#drainAndFree();
    return this.#closed;
  }

  /** Encodes the frame and releases it; undefined if rate control skipped it. */
  async #encode(frame: RawVideoFrame): Promise<NativeChunk | undefined> {
    try {
      validateFrame(frame, this.config);
      const keyFrame = this.#keyFrameWanted;
      this.#rateControl.setTarget(this.#bitrateBps);
      const settings = this.#rateControl.plan(frame.timestamp, keyFrame);
      if (settings === undefined) return undefined;

      this.#keyFrameWanted = false;
      const index = this.#encodedFrames;
      this.#encodedFrames += 1;
      const chunk = await this.#native.encode(this.#packer.pack(frame), { index, keyFrame, settings });
      this.#rateControl.encoded(chunk.data.byteLength, chunk.type);
      return chunk;
    } catch (error) {
      if (error instanceof FramelockError) throw error;
      // The encoder may have taken the frame as a reference that no decoder will ever see.
      this.#keyFrameWanted = true;
      throw new FramelockError(
        'ENCODER_FAILED',
        `${this.implementation} failed on the frame captured at ${frame.timestamp} us: ${describeError(error)}.`,
        { cause: error, context: { codec: this.config.codec, timestamp: frame.timestamp } },
      );
    } finally {
      frame.release?.();
    }
  }

  #lend(native: NativeChunk, timestamp: number): EncodedVideoChunk {
    let released = false;
    return {
      data: native.data,
      type: native.type,
      timestamp,
      ...(native.quantizer === undefined ? {} : { quantizer: native.quantizer }),
      release: () => {
        if (released) return;
        released = true;
        native.release();
        this.#becomeIdle();
      },
    };
  }

  #becomeIdle(): void {
    this.#state = 'idle';
    this.#onIdle?.();
  }

  async #drainAndFree(): Promise<void> {
    if (this.#state !== 'idle') {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#native.free();
  }
}
