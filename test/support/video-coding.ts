import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_LOG_FATAL,
  AV_PIX_FMT_YUV420P,
  type AVPixelFormat,
  type FFVideoEncoder,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, FormatContext, Frame, Log, Packet, Rational } from 'node-av/lib';

/** How test footage is encoded. */
export interface CodingConfig {
  readonly encoder: string;
  readonly width: number;
  readonly height: number;
  readonly framerate: number;
  readonly bitrateBps: number;
  /** @default AV_PIX_FMT_YUV420P */
  readonly pixelFormat?: AVPixelFormat;
  readonly qMin?: number;
  readonly qMax?: number;
  readonly gopSize?: number;
  readonly options?: Readonly<Record<string, string>>;
  /** Time of a picture in frame intervals. @default its number */
  readonly timeOf?: (number: number) => number;
}

async function openEncoder(config: CodingConfig, globalHeader: boolean): Promise<CodecContext> {
  Log.setLevel(AV_LOG_FATAL);
  const codec = Codec.findEncoderByName(config.encoder as FFVideoEncoder);
  if (codec === null) throw new Error(`no encoder ${config.encoder}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = config.width;
  context.height = config.height;
  context.pixelFormat = config.pixelFormat ?? AV_PIX_FMT_YUV420P;
  context.timeBase = new Rational(1, config.framerate);
  context.framerate = new Rational(config.framerate, 1);
  context.bitRate = BigInt(config.bitrateBps);
  context.gopSize = config.gopSize ?? 300;
  context.maxBFrames = 0;
  if (config.qMin !== undefined) context.qMin = config.qMin;
  if (config.qMax !== undefined) context.qMax = config.qMax;
  if (globalHeader) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  for (const [name, value] of Object.entries(config.options ?? {})) context.setOption(name, value);
  FFmpegError.throwIfError(await context.open2(codec, null), `open ${config.encoder}`);
  return context;
}

/** Encodes the pictures and hands over every packet; the packet is reused afterwards. */
async function encode(
  context: CodecContext,
  config: CodingConfig,
  pictures: Iterable<Uint8Array>,
  onPacket: (packet: Packet) => Promise<void>,
): Promise<void> {
  const packet = new Packet();
  packet.alloc();
  const drain = async (): Promise<void> => {
    while ((await context.receivePacket(packet)) >= 0) {
      await onPacket(packet);
      packet.unref();
    }
  };
  // A frame points at its bytes and does not keep them alive: without this they can be collected while they are encoded.
  const beingRead = new Set<Buffer>();
  let number = 0;
  for (const picture of pictures) {
    const bytes = Buffer.from(picture);
    beingRead.add(bytes);
    const frame = Frame.fromVideoBuffer(bytes, {
      width: config.width,
      height: config.height,
      format: config.pixelFormat ?? AV_PIX_FMT_YUV420P,
      timeBase: { num: 1, den: config.framerate },
    });
    frame.pts = BigInt(config.timeOf?.(number) ?? number);
    number += 1;
    FFmpegError.throwIfError(await context.sendFrame(frame), 'encode');
    await drain();
    frame.free();
    beingRead.delete(bytes);
  }
  await context.sendFrame(null);
  await drain();
  packet.free();
}

/** Writes a clip; the file's extension names the container. */
export async function writeClip(path: string, config: CodingConfig, pictures: Iterable<Uint8Array>): Promise<void> {
  const context = await openEncoder(config, !path.endsWith('.h264'));
  const output = new FormatContext();
  FFmpegError.throwIfError(output.allocOutputContext2(null, null, path), 'allocate output');
  const stream = output.newStream(null);
  const timeBase = new Rational(1, config.framerate);
  stream.timeBase = timeBase;
  FFmpegError.throwIfError(stream.codecpar.fromContext(context), 'describe stream');
  FFmpegError.throwIfError(await output.openOutput(), 'open output');
  FFmpegError.throwIfError(await output.writeHeader(null), 'write header');
  await encode(context, config, pictures, async (packet) => {
    packet.streamIndex = stream.index;
    packet.duration = 1n;
    packet.rescaleTs(timeBase, stream.timeBase);
    FFmpegError.throwIfError(await output.interleavedWriteFrame(packet), 'write packet');
  });
  await output.writeTrailer();
  await output.closeOutput();
  output.freeContext();
  context.freeContext();
}

/** What came out of an encoder and a decoder. */
export interface Decoded {
  /** The luma plane, tightly packed. */
  readonly luma: Uint8Array;
}

/** Encodes and decodes the pictures, as a sender and a receiver would. */
export async function roundTrip(config: CodingConfig, pictures: Iterable<Uint8Array>): Promise<Decoded[]> {
  const context = await openEncoder(config, false);
  const codec = Codec.findDecoder(context.codecId);
  if (codec === null) throw new Error(`no decoder for ${config.encoder}`);
  const decoder = new CodecContext();
  decoder.allocContext3(codec);
  decoder.threadCount = 1;
  FFmpegError.throwIfError(await decoder.open2(codec, null), 'open decoder');
  const frame = new Frame();
  frame.alloc();
  const decoded: Decoded[] = [];
  const drain = async (): Promise<void> => {
    while ((await decoder.receiveFrame(frame)) >= 0) {
      decoded.push({ luma: packLuma(frame) });
    }
  };
  await encode(context, config, pictures, async (packet) => {
    FFmpegError.throwIfError(await decoder.sendPacket(packet), 'decode');
    await drain();
  });
  await decoder.sendPacket(null);
  await drain();
  frame.free();
  decoder.freeContext();
  context.freeContext();
  return decoded;
}

function packLuma(frame: Frame): Uint8Array {
  const { width, height } = frame;
  const [plane] = frame.data ?? [];
  const [stride] = frame.linesize;
  if (plane === undefined || stride === undefined) throw new Error('a picture without luma');
  const luma = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) luma.set(plane.subarray(y * stride, y * stride + width), y * width);
  return luma;
}
