import type { Clock } from '../core/clock.js';
import { describeError, FramelockError, isFramelockError } from '../core/errors.js';
import { type Logger, silentLogger } from '../core/logger.js';
import type { FrameInput, VideoCodec, VideoEncoder, VideoEncoderConfig, VideoEncoderFactory } from './encoder.js';
import { WatchedEncoder } from './watched-encoder.js';

/** Options of a {@link FallbackEncoderFactory}. */
export interface FallbackOptions {
  readonly clock: Clock;
  /** Told which back end was chosen, and why another one was not. @default nowhere */
  readonly logger?: Logger;
}

/** A back end that failed is asked last for this long: drivers come back, devices are plugged in again. */
const PASSED_OVER_US = 60_000_000;

/**
 * Several back ends as one: encoders are opened by the first that can, in order, for example hardware before software. One that cannot open a
 * codec, or whose encoder fails again and again while it runs, is asked last for a minute; so the fresh encoder that the sender then asks
 * for comes from the next one. Which one it was is told by the encoder's `implementation`. One that lacks what is asked for (NOT_SUPPORTED: temporal layers) is left
 * out without being blamed.
 *
 * Owner of its state: itself, synchronously.
 */
export class FallbackEncoderFactory implements VideoEncoderFactory {
  readonly name: string;
  readonly codecs: readonly VideoCodec[];
  readonly #factories: readonly VideoEncoderFactory[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Until when a back end is asked last, by codec and place in the order. */
  readonly #passedOverUntilUs = new Map<string, number>();

  /**
   * @param factories in the order in which they are to be tried
   * @throws FramelockError INVALID_ARGUMENT if there is none
   */
  constructor(factories: readonly VideoEncoderFactory[], { clock, logger = silentLogger }: FallbackOptions) {
    if (factories.length === 0)
      throw new FramelockError('INVALID_ARGUMENT', 'there is no encoder back end to choose from');
    this.#factories = [...factories];
    this.#clock = clock;
    this.#logger = logger;
    this.name = factories.map(({ name }) => name).join(', ');
    this.codecs = [...new Set(factories.flatMap(({ codecs }) => codecs))];
  }

  async open(config: VideoEncoderConfig, input: FrameInput): Promise<VideoEncoder> {
    const { codec } = config;
    const failures: { readonly name: string; readonly error: unknown }[] = [];
    for (const place of this.#order(codec)) {
      const factory = this.#factories[place];
      if (factory === undefined) continue;
      try {
        const encoder = await factory.open(config, input);
        const { implementation } = encoder;
        this.#logger.info('encoder chosen', { codec, implementation, failedBefore: failures.length });
        return new WatchedEncoder(encoder, (error) => this.#passOver(codec, place, error));
      } catch (error) {
        failures.push({ name: factory.name, error });
        if (!isFramelockError(error, 'NOT_SUPPORTED')) this.#passOver(codec, place, error);
      }
    }
    throw this.#noneOpened(codec, failures);
  }

  /** Places of the back ends that have the codec, those that failed of late last. */
  #order(codec: VideoCodec): readonly number[] {
    const places = [...this.#factories.keys()].filter((place) => this.#factories[place]?.codecs.includes(codec));
    const isPassedOver = (place: number) =>
      (this.#passedOverUntilUs.get(`${codec} ${place}`) ?? Number.NEGATIVE_INFINITY) > this.#clock.nowUs();
    return [...places.filter((place) => !isPassedOver(place)), ...places.filter(isPassedOver)];
  }

  #passOver(codec: VideoCodec, place: number, error: unknown): void {
    this.#passedOverUntilUs.set(`${codec} ${place}`, this.#clock.nowUs() + PASSED_OVER_US);
    const name = this.#factories[place]?.name;
    this.#logger.warn('an encoder back end is passed over', { codec, name, error: describeError(error) });
  }

  #noneOpened(
    codec: VideoCodec,
    failures: readonly { readonly name: string; readonly error: unknown }[],
  ): FramelockError {
    if (failures.length === 0) {
      const message = `Codec ${String(codec)} cannot be encoded here; there are ${this.codecs.join(', ')}.`;
      return new FramelockError('CODEC_UNSUPPORTED', message, { context: { codec } });
    }
    const [first] = failures;
    if (failures.every(({ error }) => isFramelockError(error, 'NOT_SUPPORTED'))) return first?.error as FramelockError;
    const reasons = failures.map(({ name, error }) => `${name}: ${describeError(error)}`).join(' ');
    return new FramelockError('ENCODER_OPEN_FAILED', `No ${codec} encoder opened. ${reasons}`, {
      cause: failures.at(-1)?.error,
      context: { codec },
    });
  }
}
