import { describeError, FramelockError } from '../core/errors.js';
import type { AudioEncoder, AudioEncoderConfig, EncodedAudioChunk } from './audio-encoder.js';
import { AUDIO_FRAME_US, audioFrameSamples, type RawAudioData } from './audio-frame.js';
import type { FrameInput, ReadResult } from './encoder.js';
import { LEAST_EXPECTED_LOSS } from './expected-loss.js';
import type { NativeAudioEncoder } from './native-audio-encoder.js';
import type { NativeAudioResampler } from './native-audio-resampler.js';
import { ReopenPolicy } from './reopen-policy.js';
import { SingleFlight } from './single-flight.js';
import { validateAudioBitrate, validateAudioData } from './validate-audio.js';

/** libopus makes packets of this size, a header and no sound, of frames that need not be sent (opus_encode in libopus include/opus.h). */
const MAX_SILENT_PACKET_BYTES = 2;

/** What a native audio encoder keeps for life. */
export interface NativeAudioRate {
  readonly bitrateBps: number;
  /** Share of packets, 0-1, whose loss it prepares for. */
  readonly expectedLoss: number;
}

/** The parts of a {@link SingleFlightAudioEncoder}. */
export interface SingleFlightAudioEncoderParts {
  readonly config: Readonly<AudioEncoderConfig>;
  /** Name of what encodes, for example `libopus`. */
  readonly implementation: string;
  readonly input: FrameInput<RawAudioData>;
  /** Opened as `config` says. Owned from here on: freed by `close()` or when another takes its place. */
  readonly native: NativeAudioEncoder;
  /** Opens another one. */
  readonly open: (rate: NativeAudioRate) => Promise<NativeAudioEncoder>;
  /** Brings frames to 48 kHz, if they are not. Owned from here on: freed by `close()`. */
  readonly resampler?: NativeAudioResampler | undefined;
}

/**
 * The discipline around a native audio encoder: frames are checked before native code sees them, and one job is in flight at most (see
 * {@link SingleFlight}). A native encoder keeps its bitrate and the loss that it prepares for, so a new one is opened in its place, between
 * two frames. The resampler stays: the sound goes on.
 *
 * Every field is owned by this object and touched on the JavaScript thread only.
 */
export class SingleFlightAudioEncoder implements AudioEncoder {
  readonly config: Readonly<AudioEncoderConfig>;
  readonly implementation: string;
  readonly #input: FrameInput<RawAudioData>;
  readonly #open: (rate: NativeAudioRate) => Promise<NativeAudioEncoder>;
  readonly #resampler: NativeAudioResampler | undefined;
  readonly #flight: SingleFlight;
  readonly #policy: ReopenPolicy;
  #native: NativeAudioEncoder;
  #bitrateBps: number;
  #expectedLoss: number;
  /** What the native encoder was opened for. */
  #nativeLoss: number;
  /** Capture time of the frame that would continue the last one. */
  #nextUs = Number.NEGATIVE_INFINITY;
  /** Whether the last packet was without sound, and so told the decoder that silence begins. */
  #silent = false;

  constructor({ config, implementation, input, native, open, resampler }: SingleFlightAudioEncoderParts) {
    this.config = config;
    this.implementation = implementation;
    this.#input = input;
    this.#open = open;
    this.#native = native;
    this.#resampler = resampler;
    this.#flight = new SingleFlight(implementation, () => {
      this.#native.free();
      this.#resampler?.free();
    });
    this.#bitrateBps = config.bitrateBps;
    this.#policy = new ReopenPolicy(config.bitrateBps);
    this.#expectedLoss = config.expectedLoss ?? LEAST_EXPECTED_LOSS;
    this.#nativeLoss = this.#expectedLoss;
  }

  async read(): Promise<ReadResult<EncodedAudioChunk>> {
    const result = await this.#flight.read(this.#input, (frame) => this.#encode(frame));
    return result.kind === 'skipped' ? { ...result, reason: 'silence' } : result;
  }

  /** @throws FramelockError INVALID_BITRATE */
  setBitrate(bitrateBps: number): void {
    if (this.#flight.closed) return;
    validateAudioBitrate(bitrateBps);
    this.#bitrateBps = bitrateBps;
  }

  /** @throws FramelockError INVALID_ARGUMENT */
  setExpectedLoss(fraction: number): void {
    if (this.#flight.closed) return;
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new FramelockError('INVALID_ARGUMENT', `Expected loss is ${fraction}: it must be a share from 0 to 1.`, {
        context: { field: 'expectedLoss' },
      });
    }
    this.#expectedLoss = fraction;
  }

  close(): Promise<void> {
    return this.#flight.close();
  }

  /** Nothing for silence that the decoder knows of. */
  async #encode(frame: RawAudioData): Promise<EncodedAudioChunk | undefined> {
    const { timestamp } = frame;
    this.#validate(frame);
    try {
      await this.#followRate(timestamp);
      const packet = await this.#native.encode(this.#resampled(frame));
      if (this.#continuesSilence(packet.data)) {
        packet.release();
        return undefined;
      }
      const captureUs = timestamp - (this.#resampler?.delayUs ?? 0);
      return { data: packet.data, type: 'key', timestamp: captureUs, release: () => packet.release() };
    } catch (error) {
      throw new FramelockError(
        'ENCODER_FAILED',
        `${this.implementation} failed on the sound captured at ${timestamp} us: ${describeError(error)}.`,
        { cause: error, context: { codec: this.config.codec, timestamp } },
      );
    }
  }

  #validate(frame: RawAudioData): void {
    validateAudioData(frame, this.config);
    const frameSamples = audioFrameSamples(this.config.sampleRate);
    if (frame.numberOfFrames === frameSamples) return;
    throw new FramelockError(
      'INVALID_FRAME',
      `Sound refused: the encoder takes ${frameSamples} samples a channel, not ${frame.numberOfFrames}.`,
    );
  }

  /** The sound at 48 kHz. What comes before a gap in capture times must not be heard after it. */
  #resampled({ data, timestamp }: RawAudioData): Uint8Array {
    if (this.#resampler === undefined) return data;
    if (timestamp !== this.#nextUs) this.#resampler.restart();
    this.#nextUs = timestamp + AUDIO_FRAME_US;
    return this.#resampler.resample(data);
  }

  /**
   * Whether a packet need not be sent. The first one without sound must be: it tells the decoder that the others are not lost
   * (`WebRtcOpus_Encode` in libwebrtc modules/audio_coding/codecs/opus/opus_interface.cc).
   */
  #continuesSilence({ length }: Uint8Array): boolean {
    const silent = this.config.dtx === true && length <= MAX_SILENT_PACKET_BYTES;
    const continues = silent && this.#silent;
    this.#silent = silent;
    return continues;
  }

  /** Exchanges the native encoder if the targets call for it. If no other one opens, the old one goes on with the next frame. */
  async #followRate(timestampUs: number): Promise<void> {
    const wanted = { bitrateBps: this.#bitrateBps, expectedLoss: this.#expectedLoss };
    const isOtherLoss = wanted.expectedLoss !== this.#nativeLoss;
    if (!this.#policy.calls(wanted.bitrateBps, timestampUs, isOtherLoss)) return;
    const next = await this.#open(wanted);
    this.#native.free();
    this.#native = next;
    this.#nativeLoss = wanted.expectedLoss;
    this.#policy.opened(wanted.bitrateBps);
  }
}
