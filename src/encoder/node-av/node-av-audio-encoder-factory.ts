import { AV_LOG_ERROR, FF_ENCODER_LIBOPUS } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { describeError, FramelockError } from '../../core/errors.js';
import type { AudioEncoder, AudioEncoderConfig, AudioEncoderFactory } from '../audio-encoder.js';
import type { RawAudioData } from '../audio-frame.js';
import { AUDIO_SAMPLE_RATE } from '../audio-frame.js';
import type { FrameInput } from '../encoder.js';
import { SingleFlightAudioEncoder, type SingleFlightAudioEncoderParts } from '../single-flight-audio-encoder.js';
import { validateAudioEncoderConfig } from '../validate-audio.js';
import { FfmpegAudioResampler } from './ffmpeg-audio-resampler.js';
import { FfmpegOpusEncoder } from './ffmpeg-opus-encoder.js';

type NativeParts = Pick<SingleFlightAudioEncoderParts, 'native' | 'resampler'>;

/**
 * Opus encoders: libopus behind FFmpeg's libraries, through the prebuilt package node-av. Encoding runs on libuv's thread pool, some 0.3 ms
 * a packet; resampling, where the sound is not at 48 kHz, on the JavaScript thread, some 50 us. As `NodeAvEncoderFactory` does, the constructor sets FFmpeg's log level, one setting of the process, to errors.
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
    const { native, resampler } = await openNative(ownConfig).catch((error: unknown) => {
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
      resampler,
      open: (rate) => FfmpegOpusEncoder.open({ ...ownConfig, ...rate }),
    });
  }
}

/** The encoder, and the resampler if one is needed; both or none. */
async function openNative(config: AudioEncoderConfig): Promise<NativeParts> {
  const native = await FfmpegOpusEncoder.open(config);
  if (config.sampleRate === AUDIO_SAMPLE_RATE) return { native, resampler: undefined };
  try {
    return { native, resampler: new FfmpegAudioResampler(config) };
  } catch (error) {
    native.free();
    throw error;
  }
}
