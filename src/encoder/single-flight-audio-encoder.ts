import { describeError, FramelockError } from '../core/errors.js';
import type { AudioEncoder, AudioEncoderConfig, EncodedAudioChunk } from './audio-encoder.js';
import { AUDIO_FRAME_SAMPLES, type RawAudioData } from './audio-frame.js';
import type { FrameInput, ReadResult } from './encoder.js';
import type { NativeAudioEncoder } from './native-audio-encoder.js';
import { ReopenPolicy } from './reopen-policy.js';
import { SingleFlight } from './single-flight.js';
import { validateAudioBitrate, validateAudioData } from './validate-audio.js';

/** The parts of a {@link SingleFlightAudioEncoder}. */
export interface SingleFlightAudioEncoderParts {
  readonly config: Readonly<AudioEncoderConfig>;
  /** Name of what encodes, for example `libopus`. */
  readonly implementation: string;
  readonly input: FrameInput<RawAudioData>;
  /** Opened at the bitrate of `config`. Owned from here on: freed by `close()` or when another takes its place. */
  readonly native: NativeAudioEncoder;
  /** Opens another one. */
  readonly open: (bitrateBps: number) => Promise<NativeAudioEncoder>;
}

/**
 * The discipline around a native audio encoder: frames are checked before native code sees them, and one job is in flight at most (see
 * {@link SingleFlight}). A native encoder keeps its bitrate for life, so a new bitrate opens another one in its place, between two frames.
 *
 * Every field is owned by this object and touched on the JavaScript thread only.
 */
export class SingleFlightAudioEncoder implements AudioEncoder {
  readonly config: Readonly<AudioEncoderConfig>;
  readonly implementation: string;
  readonly #input: FrameInput<RawAudioData>;
  readonly #open: (bitrateBps: number) => Promise<NativeAudioEncoder>;
  readonly #flight: SingleFlight;
  readonly #policy: ReopenPolicy;
  #native: NativeAudioEncoder;
  #bitrateBps: number;

  constructor({ config, implementation, input, native, open }: SingleFlightAudioEncoderParts) {
    this.config = config;
    this.implementation = implementation;
    this.#input = input;
    this.#open = open;
    this.#native = native;
    this.#flight = new SingleFlight(implementation, () => this.#native.free());
    this.#bitrateBps = config.bitrateBps;
    this.#policy = new ReopenPolicy(config.bitrateBps);
  }

  read(): Promise<ReadResult<EncodedAudioChunk>> {
    return this.#flight.read(this.#input, (frame) => this.#encode(frame));
  }

  /** @throws FramelockError INVALID_BITRATE */
  setBitrate(bitrateBps: number): void {
    if (this.#flight.closed) return;
    validateAudioBitrate(bitrateBps);
    this.#bitrateBps = bitrateBps;
  }

  close(): Promise<void> {
    return this.#flight.close();
  }

  async #encode(frame: RawAudioData): Promise<EncodedAudioChunk> {
    const { timestamp, data, numberOfFrames } = frame;
    validateAudioData(frame, this.config);
    if (numberOfFrames !== AUDIO_FRAME_SAMPLES) {
      throw new FramelockError(
        'INVALID_FRAME',
        `Sound refused: the encoder takes ${AUDIO_FRAME_SAMPLES} samples a channel, not ${numberOfFrames}.`,
      );
    }
    try {
      await this.#followBitrate(timestamp);
      const packet = await this.#native.encode(data);
      return { data: packet.data, type: 'key', timestamp, release: () => packet.release() };
    } catch (error) {
      throw new FramelockError(
        'ENCODER_FAILED',
        `${this.implementation} failed on the sound captured at ${timestamp} us: ${describeError(error)}.`,
        { cause: error, context: { codec: this.config.codec, timestamp } },
      );
    }
  }

  /** Exchanges the native encoder if the bitrate calls for it. If no other one opens, the old one goes on with the next frame. */
  async #followBitrate(timestampUs: number): Promise<void> {
    const bitrateBps = this.#bitrateBps;
    if (!this.#policy.calls(bitrateBps, timestampUs)) return;
    const next = await this.#open(bitrateBps);
    this.#native.free();
    this.#native = next;
    this.#policy.opened(bitrateBps);
  }
}
