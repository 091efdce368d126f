import { FF_ENCODER_LIBOPUS } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, Rational } from 'node-av/lib';
import type { AudioEncoderConfig } from '../audio-encoder.js';
import { AUDIO_FRAME_SAMPLES, AUDIO_FRAME_US, AUDIO_SAMPLE_RATE } from '../audio-frame.js';
import { LEAST_EXPECTED_LOSS } from '../expected-loss.js';
import type { NativeAudioEncoder, NativeAudioPacket } from '../native-audio-encoder.js';
import { channelLayoutOf, FFMPEG_SAMPLE_FORMATS } from './ffmpeg-audio-format.js';
import { check } from './ffmpeg-check.js';

/**
 * One libopus encoder behind FFmpeg and the frame and packet that go with it; it takes 48 kHz, whatever the rate of the configuration. FFmpeg
 * hands the bitrate and the expected loss to libopus when it opens it and never again: a new `bitRate` on an open context changes nothing
 * (measured with node-av 6.1.1).
 */
export class FfmpegOpusEncoder implements NativeAudioEncoder {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  #encoding = false;
  #encodedFrames = 0;

  private constructor(codec: Codec, config: AudioEncoderConfig) {
    const context = this.#context;
    context.allocContext3(codec);
    context.sampleFormat = FFMPEG_SAMPLE_FORMATS[config.format];
    context.sampleRate = AUDIO_SAMPLE_RATE;
    context.channelLayout = channelLayoutOf(config.numberOfChannels);
    context.timeBase = new Rational(1, AUDIO_SAMPLE_RATE);
    context.threadCount = 1;
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** Opens an encoder; throws an error with FFmpeg's text, leaving nothing native behind. */
  static async open(config: AudioEncoderConfig): Promise<FfmpegOpusEncoder> {
    const codec = Codec.findEncoderByName(FF_ENCODER_LIBOPUS);
    if (codec === null) throw new Error(`FFmpeg was built without ${FF_ENCODER_LIBOPUS}`);
    const encoder = new FfmpegOpusEncoder(codec, config);
    try {
      encoder.#allocateFrame();
      for (const [name, value] of Object.entries(optionsOf(config))) {
        check(encoder.#context.setOption(name, value), `set option ${name}=${value}`);
      }
      check(await encoder.#context.open2(codec, null), 'open');
      return encoder;
    } catch (error) {
      encoder.free();
      throw error;
    }
  }

  async encode(samples: Uint8Array): Promise<NativeAudioPacket> {
    this.#encoding = true;
    try {
      check(
        this.#frame.fromBuffer(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)),
        'take the samples',
      );
      this.#frame.pts = BigInt(this.#encodedFrames * AUDIO_FRAME_SAMPLES);
      this.#encodedFrames += 1;
      check(await this.#context.sendFrame(this.#frame), 'encode');
    } finally {
      this.#encoding = false;
    }
    const packet = this.#packet;
    check(this.#context.receivePacketSync(packet), 'hand over the packet');
    const data = packet.data;
    if (data === null) throw new Error('the packet is empty');
    return { data, release: () => packet.unref() };
  }

  free(): void {
    if (this.#encoding) throw new Error('an encoder cannot be freed while it encodes');
    this.#context.freeContext();
    this.#packet.free();
    this.#frame.free();
  }

  /** Memory for one frame; `fromBuffer` copies into it. */
  #allocateFrame(): void {
    const frame = this.#frame;
    frame.format = this.#context.sampleFormat;
    frame.sampleRate = this.#context.sampleRate;
    frame.channelLayout = this.#context.channelLayout;
    frame.nbSamples = AUDIO_FRAME_SAMPLES;
    check(frame.getBuffer(), 'allocate a frame');
  }
}

/** The application follows libwebrtc: speech for mono, sound in general for stereo (modules/audio_coding/codecs/opus/audio_encoder_opus.cc). */
function optionsOf(config: AudioEncoderConfig): Readonly<Record<string, string | number>> {
  const { numberOfChannels, bitrateBps, expectedLoss = LEAST_EXPECTED_LOSS, dtx = false } = config;
  return {
    b: Math.round(bitrateBps),
    application: numberOfChannels === 1 ? 'voip' : 'audio',
    // The size of packets varies with the sound, but no second takes more than its share.
    vbr: 'constrained',
    frame_duration: AUDIO_FRAME_US / 1000,
    fec: 1,
    packet_loss: Math.round(expectedLoss * 100),
    dtx: dtx ? 1 : 0,
  };
}
