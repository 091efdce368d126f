import { describeError, FramelockError } from '../../core/errors.js';
import type { EncodedVideoChunk, FrameInput, ReadResult, VideoEncoder, VideoEncoderConfig } from '../encoder.js';
import { PicturePacker } from '../picture-packer.js';
import type { RateLimitation } from '../rate-limitation.js';
import { SingleFlight } from '../single-flight.js';
import { validateBitrate, validateFrame } from '../validate-frame.js';
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
  readonly link: ProcessLink;
  readonly slot: FrameSlot;
}

/** An encoder that runs in a process of its own. Every field is owned by this object and touched on the JavaScript thread only. */
export class IsolatedEncoder implements VideoEncoder {
  readonly config: Readonly<VideoEncoderConfig>;
  readonly implementation: string;
  readonly #input: FrameInput;
  readonly #link: ProcessLink;
  readonly #slot: FrameSlot;
  readonly #flight: SingleFlight;
  readonly #packer = new PicturePacker();
  #bitrateBps: number;
  #keyFrameWanted = true;
  #limitation: RateLimitation | undefined;
  #closing: Promise<void> | undefined;

  constructor({ config, implementation, input, link, slot }: IsolatedEncoderParts) {
    this.config = config;
    this.implementation = implementation;
    this.#input = input;
    this.#link = link;
    this.#slot = slot;
    this.#flight = new SingleFlight(implementation, () => undefined);
    this.#bitrateBps = config.bitrateBps;
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
    if (this.#flight.closed) return;
    validateBitrate(bitrateBps);
    this.#bitrateBps = bitrateBps;
  }

  forceKeyFrame(): void {
    this.#keyFrameWanted = true;
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
      await this.#share(this.#packer.pack(frame));
    } finally {
      frame.release?.();
    }
    const keyFrame = this.#keyFrameWanted;
    this.#keyFrameWanted = false;
    const request = { kind: 'encode', timestamp, keyFrame, bitrateBps: this.#bitrateBps } as const;
    const answer = await this.#link.ask(request, ENCODE_TIMEOUT_MS).catch((error: unknown) => {
      // The process may have taken the frame as a reference that no decoder will ever see.
      this.#keyFrameWanted = true;
      throw error;
    });
    this.#limitation = 'limitation' in answer ? answer.limitation : undefined;
    if (answer.kind !== 'chunk') {
      // A frame that was left out is no key frame.
      this.#keyFrameWanted ||= keyFrame;
      return undefined;
    }
    const { data, type, quantizer } = answer;
    return {
      data,
      type,
      timestamp,
      ...(quantizer === undefined ? {} : { quantizer }),
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
