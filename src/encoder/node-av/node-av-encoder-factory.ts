import { AV_LOG_ERROR } from 'node-av/constants';
import { Codec, Log } from 'node-av/lib';
import { describeError, FramelockError } from '../../core/errors.js';
import { encodedSize } from '../encoded-size.js';
import type { FrameInput, VideoCodec, VideoEncoder, VideoEncoderConfig, VideoEncoderFactory } from '../encoder.js';
import type { NativeEncoder } from '../native-encoder.js';
import { ReopeningEncoder } from '../reopening-encoder.js';
import { SingleFlightEncoder } from '../single-flight-encoder.js';
import { assertNoLayers } from '../temporal-layers.js';
import { validateEncoderConfig } from '../validate-frame.js';
import type { CodecProfile } from './codec-profile.js';
import { codecProfiles } from './codec-profiles.js';
import { FfmpegEncoder } from './ffmpeg-encoder.js';
import { type HardwareEncoder, hardwareProfiles } from './hardware-profiles.js';

/** SVT-AV1's log level for errors (SVT_LOG_ERROR of its Source/Lib/Codec/svt_log.h). */
const SVT_LOG_ERROR = '1';

/**
 * Encoders of FFmpeg's libraries through the prebuilt package node-av: VP8 and VP9 by libvpx, H.264 by x264, AV1 by
 * SVT-AV1.
 *
 * FFmpeg's interface does not tell frames apart by what they may refer to: there are no temporal layers.
 *
 * In a worker thread, close every encoder before the thread is ended: Node aborts the process if one is busy then. Where that cannot be
 * promised, use `IsolatedEncoderFactory`.
 *
 * Encoding runs on libuv's thread pool, one thread per encoder and frame (see `sizeThreadPool`). FFmpeg's log level is one setting of
 * the process; the constructor sets it to errors, since at its default FFmpeg writes the encoder's version at each open and x264 eight
 * lines of statistics at each close to the standard error output. SVT-AV1 keeps a log of its own, with a level that it reads from the
 * environment (`SVT_LOG`): the constructor sets that to errors too, unless the user did. What goes wrong is reported by thrown errors.
 */
export class NodeAvEncoderFactory implements VideoEncoderFactory {
  readonly name: string;
  readonly codecs: readonly VideoCodec[];
  readonly #profiles: readonly CodecProfile[];

  /** @param hardware encodes with that hardware alone, rather than in software */
  constructor(hardware?: HardwareEncoder) {
    Log.setLevel(AV_LOG_ERROR);
    process.env['SVT_LOG'] ??= SVT_LOG_ERROR;
    this.name = hardware ?? 'node-av';
    this.#profiles = hardware === undefined ? codecProfiles : [hardwareProfiles[hardware]];
    this.codecs = this.#profiles
      .filter(({ encoderName }) => Codec.findEncoderByName(encoderName) !== null)
      .map(({ codec }) => codec);
  }

  async open(config: VideoEncoderConfig, input: FrameInput): Promise<VideoEncoder> {
    const { codec, width, height } = config;
    const profile = this.#profiles.find((candidate) => candidate.codec === codec);
    if (profile === undefined || !this.codecs.includes(codec)) {
      throw new FramelockError(
        'CODEC_UNSUPPORTED',
        `Codec ${String(codec)} cannot be encoded here; ${this.name} supports ${this.codecs.join(', ')}.`,
        { context: { codec } },
      );
    }
    validateEncoderConfig(config);
    assertNoLayers(config, `${this.name} makes none; the native encoders do (npm run build:native)`);
    // Later changes to the caller's object must not get past the validation.
    const ownConfig = Object.freeze({ ...config });
    const openNative = (atBps: number): Promise<NativeEncoder> =>
      FfmpegEncoder.open(profile, { ...ownConfig, bitrateBps: atBps });
    const { bitrateBps } = ownConfig;
    const native = await openNative(bitrateBps).catch((error: unknown) => {
      throw new FramelockError(
        'ENCODER_OPEN_FAILED',
        `The ${codec} encoder ${profile.encoderName} did not open at ${width}x${height}: ${describeError(error)}.`,
        { cause: error, context: { codec, width, height } },
      );
    });
    return new SingleFlightEncoder({
      config: ownConfig,
      implementation: profile.encoderName,
      input,
      native: profile.keepsBitrate === true ? new ReopeningEncoder({ native, bitrateBps, open: openNative }) : native,
      rateControl: profile.createRateControl({ ...ownConfig, ...encodedSize(ownConfig) }),
    });
  }
}
