import {
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_VP8,
  AV_CODEC_ID_VP9,
  AV_LOG_ERROR,
  type AVCodecID,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Log, Packet } from 'node-av/lib';

/** Codecs that {@link VideoDecoder} decodes. */
export type DecodableCodec = 'vp8' | 'vp9' | 'h264' | 'av1';

const CODEC_IDS: Readonly<Record<DecodableCodec, AVCodecID>> = {
  vp8: AV_CODEC_ID_VP8,
  vp9: AV_CODEC_ID_VP9,
  h264: AV_CODEC_ID_H264,
  av1: AV_CODEC_ID_AV1,
};

/** A decoded picture as tightly packed I420. */
export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Whether the decoder found it to be a key frame. */
  readonly key: boolean;
}

/** Decodes chunks back to pictures: FFmpeg's own decoders, single-threaded, hence without delay. Calls must not overlap. */
export class VideoDecoder implements Disposable {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  private constructor(codec: Codec) {
    this.#context.allocContext3(codec);
    this.#context.threadCount = 1;
    this.#packet.alloc();
    this.#frame.alloc();
  }

  static async open(codecName: DecodableCodec): Promise<VideoDecoder> {
    Log.setLevel(AV_LOG_ERROR);
    const codec = Codec.findDecoder(CODEC_IDS[codecName]);
    if (codec === null) throw new Error(`no decoder for ${codecName}`);
    const decoder = new VideoDecoder(codec);
    FFmpegError.throwIfError(await decoder.#context.open2(codec, null), 'open decoder');
    return decoder;
  }

  /** The picture of one chunk. Throws if the chunk cannot be decoded or gives no picture. */
  async decode(chunk: Uint8Array): Promise<DecodedPicture> {
    this.#packet.data = Buffer.from(chunk);
    FFmpegError.throwIfError(await this.#context.sendPacket(this.#packet), 'decode');
    this.#packet.unref();
    FFmpegError.throwIfError(await this.#context.receiveFrame(this.#frame), 'receive picture');
    const { width, height, keyFrame } = this.#frame;
    return { width, height, data: this.#frame.toBuffer(), key: keyFrame === 1 };
  }

  [Symbol.dispose](): void {
    this.#context.freeContext();
    this.#packet.free();
    this.#frame.free();
  }
}

/** Peak signal-to-noise ratio of the luma planes in dB; infinite if they are equal. */
export function lumaPsnrDb(picture: DecodedPicture, original: Uint8Array): number {
  const pixels = picture.width * picture.height;
  let squares = 0;
  for (let index = 0; index < pixels; index += 1) {
    squares += ((picture.data[index] ?? 0) - (original[index] ?? 0)) ** 2;
  }
  return 10 * Math.log10(255 ** 2 / (squares / pixels));
}
