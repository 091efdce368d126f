import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import type { FrameInput, VideoCodec, VideoEncoderConfig, VideoEncoderFactory } from '../encoder.js';
import type { NativeCodecEncoderFactory } from '../native-codecs/native-codec-encoder-factory.js';
import type { HardwareEncoder } from '../node-av/hardware-profiles.js';
import { NodeAvEncoderFactory } from '../node-av/node-av-encoder-factory.js';
import { validateEncoderConfig } from '../validate-frame.js';
import { FrameSlot } from './frame-slot.js';
import { IsolatedEncoder } from './isolated-encoder.js';
import { ProcessLink } from './process-link.js';

/** Starting Node and loading FFmpeg takes some 120 ms, on a busy machine several times that. */
const OPEN_TIMEOUT_MS = 10_000;

/** What the factory in the process says no by. */
const REFUSALS = ['ENCODER_OPEN_FAILED', 'CODEC_UNSUPPORTED', 'NOT_SUPPORTED'] as const;

/** Options of an {@link IsolatedEncoderFactory}. */
export interface IsolatedEncoderOptions {
  readonly clock: Clock;
  /** Encodes with that hardware, rather than in software. */
  readonly hardware?: HardwareEncoder;
  /** Encodes with the libraries of that back end, rather than with FFmpeg's. */
  readonly native?: NativeCodecEncoderFactory;
}

/**
 * The encoders of `NodeAvEncoderFactory` or `NativeCodecEncoderFactory`, each in a process of its own: a crash in native code, or a hang, costs its track a fresh encoder and
 * nobody else anything. The price, at 1280x720: 120 ms to open, 110 MB of resident memory a track (85 MB of its own), and two copies of each picture.
 */
export class IsolatedEncoderFactory implements VideoEncoderFactory {
  readonly name: string;
  readonly codecs: readonly VideoCodec[];
  readonly #options: IsolatedEncoderOptions;

  constructor(options: IsolatedEncoderOptions) {
    const inner = options.native ?? new NodeAvEncoderFactory(options.hardware);
    this.name = `${inner.name}, isolated`;
    this.codecs = inner.codecs;
    this.#options = options;
  }

  async open(config: VideoEncoderConfig, input: FrameInput): Promise<IsolatedEncoder> {
    const { clock, hardware, native } = this.#options;
    validateEncoderConfig(config);
    const ownConfig = Object.freeze({ ...config });
    const slot = await FrameSlot.create();
    const link = new ProcessLink(slot, clock);
    try {
      const answer = await link.ask(
        { kind: 'open', config: ownConfig, hardware, native: native !== undefined },
        OPEN_TIMEOUT_MS,
      );
      if (answer.kind !== 'opened') throw new Error(`its process answered with ${answer.kind}`);
      return new IsolatedEncoder({
        config: ownConfig,
        implementation: `${answer.implementation} (isolated)`,
        input,
        link,
        slot,
      });
    } catch (error) {
      await link.end();
      await slot.close();
      if (REFUSALS.some((code) => isFramelockError(error, code))) throw error;
      const { codec, width, height } = config;
      throw new FramelockError(
        'ENCODER_OPEN_FAILED',
        `The isolated ${codec} encoder did not open at ${width}x${height}: ${describeError(error)}`,
        { cause: error, context: { codec, width, height } },
      );
    }
  }
}
