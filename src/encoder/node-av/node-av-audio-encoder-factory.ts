import { AV_LOG_ERROR, FF_ENCODER_LIBOPUS } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { describeError, FramelockError } from '../../core/errors.js';
import type { AudioEncoder, AudioEncoderConfig, AudioEncoderFactory } from '../audio-encoder.js';
import type { RawAudioData } from '../audio-frame.js';
import type { FrameInput } from '../encoder.js';
import { SingleFlightAudioEncoder } from '../single-flight-audio-encoder.js';
import { validateAudioEncoderConfig } from '../validate-audio.js';
import { FfmpegOpusEncoder } from './ffmpeg-opus-encoder.js';

/**
 * Opus encoders: libopus behind FFmpeg's libraries, through the prebuilt package node-av. Encoding runs on libuv's thread pool, some 0.3 ms
 * a packet. As `NodeAvEncoderFactory` does, the constructor sets FFmpeg's log level, one setting of the process, to errors.
 */
export class NodeAvAudioEncoderFactory implements AudioEncoderFactory {
  readonly name = 'node-av';

  constructor() {
    Log.setLevel(AV_LOG_ERROR);
  }

  async open(config: AudioEncoderConfig, input: FrameInput<RawAudioData>): Promise<AudioEncoder> {
    if (config.codec !== 'opus') {
      throw new FramelockError(
        'CODEC_UNSUPPORTED',
        `Codec ${String(config.codec)} cannot be encoded here; node-av encodes audio as opus.`,
        { context: { codec: config.codec } },
      );
    }
    validateAudioEncoderConfig(config);
    // Later changes to the caller's object must not get past the validation.
    const ownConfig = Object.freeze({ ...config });
    const native = await FfmpegOpusEncoder.open(ownConfig).catch((error: unknown) => {
      throw new FramelockError('ENCODER_OPEN_FAILED', `The opus encoder did not open: ${describeError(error)}.`, {
        cause: error,
        context: { codec: ownConfig.codec, numberOfChannels: ownConfig.numberOfChannels },
      });
    });
    return new SingleFlightAudioEncoder({
      config: ownConfig,
      implementation: FF_ENCODER_LIBOPUS,
      input,
      native,
      open: (bitrateBps) => FfmpegOpusEncoder.open({ ...ownConfig, bitrateBps }),
    });
  }
}
