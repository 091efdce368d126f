import { describeError, FramelockError } from '../../core/errors.js';
import { type Logger, silentLogger } from '../../core/logger.js';
import { encodedSize } from '../encoded-size.js';
import type { FrameInput, VideoCodec, VideoEncoder, VideoEncoderConfig, VideoEncoderFactory } from '../encoder.js';
import { QuantizerRateControl } from '../quantizer-rate-control.js';
import { SingleFlightEncoder } from '../single-flight-encoder.js';
import { frameSharesOf } from '../temporal-layers.js';
import { validateEncoderConfig } from '../validate-frame.js';
import { AddonEncoder } from './addon-encoder.js';
import { type CodecAddon, loadCodecAddon } from './codec-addon.js';

/** Names of what encodes, which tell it from FFmpeg's encoders of the same libraries. */
const IMPLEMENTATIONS: Readonly<Partial<Record<VideoCodec, string>>> = {
  vp8: 'libvpx-native',
  vp9: 'libvpx-native',
  av1: 'libaom-native',
};

/** Less than elsewhere, for AV1's key frames are further off their estimate: so that few take more than four. */
const INTRA_BUDGET_FRAMES = 3.1;

/**
 * VP8 and VP9 by libvpx and AV1 by libaom, called directly, through an addon that is built where it runs (`npm run build:native`). Each frame gets
 * exactly the quantizer that rate control chose, key frames included, so a new target takes effect at the next frame, in AV1 too, and without
 * a key frame.
 */
export class NativeCodecEncoderFactory implements VideoEncoderFactory {
  readonly name = 'native';
  readonly codecs: readonly VideoCodec[];
  readonly #addon: CodecAddon;

  constructor(addon: CodecAddon) {
    this.#addon = addon;
    this.codecs = addon.codecs;
  }

  /**
   * The back end, where the addon is built, can be loaded and is not switched off (`FRAMELOCK_NATIVE=0`).
   * @param logger told why one that is built cannot be loaded
   */
  static load(logger: Logger = silentLogger): NativeCodecEncoderFactory | undefined {
    const state = loadCodecAddon();
    if (state.kind === 'broken') {
      logger.warn('the native encoders are built, but do not load', { error: describeError(state.error) });
    }
    return state.kind === 'loaded' ? new NativeCodecEncoderFactory(state.addon) : undefined;
  }

  async open(config: VideoEncoderConfig, input: FrameInput): Promise<VideoEncoder> {
    const { codec, width, height } = config;
    const implementation = IMPLEMENTATIONS[codec];
    if (implementation === undefined || !this.codecs.includes(codec)) {
      throw new FramelockError(
        'CODEC_UNSUPPORTED',
        `Codec ${String(codec)} cannot be encoded here; ${this.name} supports ${this.codecs.join(', ')}.`,
        { context: { codec } },
      );
    }
    validateEncoderConfig(config);
    // Later changes to the caller's object must not get past the validation.
    const ownConfig = Object.freeze({ ...config });
    const native = await AddonEncoder.open(this.#addon, ownConfig).catch((error: unknown) => {
      throw new FramelockError(
        'ENCODER_OPEN_FAILED',
        `The ${codec} encoder ${implementation} did not open at ${width}x${height}: ${describeError(error)}.`,
        { cause: error, context: { codec, width, height } },
      );
    });
    const encoded = encodedSize(ownConfig);
    const { bitrateBps: targetBps, framerate } = ownConfig;
    const rateControl = new QuantizerRateControl({
      targetBps,
      framerate,
      pixels: encoded.width * encoded.height,
      intraBudgetFrames: INTRA_BUDGET_FRAMES,
      frameShares: frameSharesOf(ownConfig.scalabilityMode),
    });
    return new SingleFlightEncoder({ config: ownConfig, implementation, input, native, rateControl });
  }
}
