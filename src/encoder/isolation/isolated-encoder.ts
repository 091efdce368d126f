import { describeError, FramelockError } from '../../core/errors.js';
import type { EncodedVideoChunk, FrameInput, ReadResult, VideoEncoder, VideoEncoderConfig } from '../encoder.js';
import { EncoderControls, type EncodeWish } from '../encoder-controls.js';
import { PicturePacker } from '../picture-packer.js';
import type { RateLimitation } from '../rate-limitation.js';
import { SingleFlight } from '../single-flight.js';
import { assertUntouched, validateFrame } from '../validate-frame.js';
import type { RawVideoFrame } from '../video-frame.js';
import type { FrameSlot } from './frame-slot.js';
import type { ProcessLink } from './process-link.js';

/** An encode that takes longer hangs: a watchdog calls a track stalled by then. */
const ENCODE_TIMEOUT_MS = 2000;

/** The parts of an {@link IsolatedEncoder}. */
export interface IsolatedEncoderParts {
  readonly config: Readonly<VideoEncoderConfig>;
  readonly implementation: string;
  readonly input: FrameInput;
  /** Both owned from here on: ended and closed by `close()`. */
  readonly link: Pick<ProcessLink, 'pid' | 'ask' | 'end'>;
  readonly slot: Pick<FrameSlot, 'write' | 'close'>;
}

/** An encoder that runs in a process of its own. Every field is owned by this object and touched on the JavaScript thread only. */
export class IsolatedEncoder implements VideoEncoder {
  readonly config: Readonly<VideoEncoderConfig>;
  readonly implementation: string;
  readonly #input: FrameInput;
  readonly #link: IsolatedEncoderParts['link'];
  readonly #slot: IsolatedEncoderParts['slot'];
  readonly #flight: SingleFlight;
  readonly #packer = new PicturePacker();
  readonly #controls: EncoderControls;
  #limitation: RateLimitation | undefined;
  #closing: Promise<void> | undefined;

  constructor({ config, implementation, input, link, slot }: IsolatedEncoderParts) {
    this.config = config;
    this.implementation = implementation;
    this.#input = input;
    this.#link = link;
    this.#slot = slot;
    this.#flight = new SingleFlight(implementation, () => undefined);
    this.#controls = new EncoderControls(config.bitrateBps);
  }

  /** The id of the encoder's process. */
  get pid(): number | undefined {
    return this.#link.pid;
  }

  get limitation(): RateLimitation | undefined {
    return this.#limitation;
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
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#flight.close();
    await this.#link.end();
    await this.#slot.close();
  }

  async #encode(frame: RawVideoFrame): Promise<EncodedVideoChunk | undefined> {
    const { timestamp } = frame;
    try {
      validateFrame(frame, this.config);
      await this.#share(this.#packer.pack(frame)).finally(() => assertUntouched(frame));
    } finally {
      frame.release?.();
    }
    return this.#controls.apply((wish) => this.#encodeShared(timestamp, wish));
  }

  /** Encodes the picture in the slot. */
  async #encodeShared(timestamp: number, wish: EncodeWish): Promise<EncodedVideoChunk | undefined> {
    const answer = await this.#link.ask({ kind: 'encode', timestamp, ...wish }, ENCODE_TIMEOUT_MS);
    this.#limitation = 'limitation' in answer ? answer.limitation : undefined;
    if (answer.kind !== 'chunk') return undefined;
    const { data, type, quantizer, svc } = answer;
    return {
      data,
      type,
      timestamp,
      ...(quantizer === undefined ? {} : { quantizer }),
      ...(svc === undefined ? {} : { svc }),
      release: () => undefined,
    };
  }

  async #share(picture: Uint8Array): Promise<void> {
    try {
      await this.#slot.write(picture);
    } catch (error) {
      const message = `A picture could not be handed to the encoder's process: ${describeError(error)}.`;
      throw new FramelockError('ENCODER_FAILED', message, { cause: error });
    }
  }
}
