import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CODEC_ID_OPUS,
  AV_LOG_ERROR,
  AV_SAMPLE_FMT_FLTP,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Log, Packet } from 'node-av/lib';
import { AUDIO_SAMPLE_RATE } from '../../src/encoder/audio-frame.js';

/** Decodes Opus packets: FFmpeg's own decoder, which shares no line with libopus. Calls must not overlap. */
export class OpusDecoder implements Disposable {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  private constructor(codec: Codec, channels: number) {
    this.#context.allocContext3(codec);
    this.#context.threadCount = 1;
    this.#context.sampleRate = AUDIO_SAMPLE_RATE;
    this.#context.channelLayout = channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
    this.#packet.alloc();
    this.#frame.alloc();
  }

  static async open(channels: number): Promise<OpusDecoder> {
    Log.setLevel(AV_LOG_ERROR);
    const codec = Codec.findDecoder(AV_CODEC_ID_OPUS);
    if (codec === null) throw new Error('no decoder for Opus');
    const decoder = new OpusDecoder(codec, channels);
    FFmpegError.throwIfError(await decoder.#context.open2(codec, null), 'open decoder');
    return decoder;
  }

  /** The samples of one packet, one array a channel. */
  async decode(packet: Uint8Array): Promise<readonly Float32Array[]> {
    this.#packet.data = Buffer.from(packet);
    FFmpegError.throwIfError(await this.#context.sendPacket(this.#packet), 'decode');
    this.#packet.unref();
    FFmpegError.throwIfError(await this.#context.receiveFrame(this.#frame), 'receive sound');
    const { nbSamples, format, data } = this.#frame;
    if (format !== AV_SAMPLE_FMT_FLTP || data === null) throw new Error(`unexpected sample format ${format}`);
    return data.map((plane) => new Float32Array(plane.buffer, plane.byteOffset, nbSamples).slice());
  }

  [Symbol.dispose](): void {
    this.#context.freeContext();
    this.#packet.free();
    this.#frame.free();
  }
}
