import {
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_YUV420P,
  AV_PKT_DATA_QUALITY_STATS,
  type AVPixelFormat,
  SWS_AREA,
  SWS_POINT,
} from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, Rational, SoftwareScaleContext } from 'node-av/lib';
import { encodedSize } from '../encoded-size.js';
import type { VideoEncoderConfig } from '../encoder.js';
import type { EncodeJob, NativeChunk, NativeEncoder } from '../native-encoder.js';
import type { RateSettings } from '../rate-control.js';
import type { VideoPixelFormat } from '../video-frame.js';
import type { CodecProfile } from './codec-profile.js';
import { check } from './ffmpeg-check.js';
import { HardwareUpload } from './hardware-upload.js';

const FFMPEG_FORMATS: Readonly<Record<VideoPixelFormat, AVPixelFormat>> = {
  I420: AV_PIX_FMT_YUV420P,
  NV12: AV_PIX_FMT_NV12,
};

/** FF_QP2LAMBDA of libavutil/avutil.h: the quality that FFmpeg reports is the quantizer times this. */
const QUALITY_PER_QUANTIZER = 118;

/** Frame rates are told to FFmpeg as a fraction with this denominator. */
const FRAMERATE_DENOMINATOR = 1000;

/** Size and format of a picture. */
interface PictureShape {
  readonly width: number;
  readonly height: number;
  readonly format: VideoPixelFormat;
}

/** A conversion from the format and size of the input to those that the encoder takes. */
interface Conversion {
  readonly isScaling: boolean;
  readonly scaler: SoftwareScaleContext;
  readonly output: Frame;
}

/**
 * One FFmpeg encoder context and the frame and packet that go with it: the only place that touches native encoder memory.
 *
 * **No copy on the way in.** `Frame.fromBuffer` of node-av 6.1.1 points the frame's planes at the bytes that it is given (it is
 * documented to copy); the encoder then makes the one copy, on its own thread, into the layout that it needs. Therefore the picture is
 * kept referenced until the job ends, and must not be detached (transferred) by its owner before the frame's `release`.
 * Should a later node-av copy, the frame has memory of its own to copy into.
 *
 * **No copy on the way out.** `Packet.data` is a view that holds its own reference on FFmpeg's buffer.
 *
 * The encoding happens within `sendFrame`, on libuv's pool; `receivePacket` only hands over the result, so it is called synchronously.
 */
export class FfmpegEncoder implements NativeEncoder {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #input: Frame;
  readonly #conversion: Conversion | undefined;
  readonly #upload: HardwareUpload | undefined;
  readonly #needsEndOfStream: boolean;
  /** The bytes that native code reads while a job is in flight. */
  #picture: Uint8Array | undefined;

  /** @param encoded size and format of the pictures that the codec gets */
  private constructor(codec: Codec, profile: CodecProfile, config: VideoEncoderConfig, encoded: PictureShape) {
    const { width, height, format = 'I420' } = config;
    this.#context.allocContext3(codec);
    this.#needsEndOfStream = profile.needsEndOfStream ?? false;
    this.#packet.alloc();
    const input = { width, height, format };
    this.#input = createFrame(input);
    this.#conversion = isSame(input, encoded) ? undefined : createConversion(input, encoded);
    this.#upload = profile.memory === undefined ? undefined : new HardwareUpload(profile.memory, encoded);
  }

  /** Opens an encoder; throws an error with FFmpeg's text, leaving nothing native behind. */
  static async open(profile: CodecProfile, config: VideoEncoderConfig): Promise<FfmpegEncoder> {
    const codec = Codec.findEncoderByName(profile.encoderName);
    if (codec === null) throw new Error(`FFmpeg was built without ${profile.encoderName}`);
    const encoded = encodedShape(profile, config);
    const encoder = new FfmpegEncoder(codec, profile, config, encoded);
    try {
      configure(encoder.#context, profile, { ...config, ...encoded });
      encoder.#upload?.attach(encoder.#context);
      // Never open2Sync, and never with a dictionary of options: both crash later.
      check(await encoder.#context.open2(codec, null), 'open');
      return encoder;
    } catch (error) {
      encoder.free();
      throw error;
    }
  }

  async encode(picture: Uint8Array, job: EncodeJob): Promise<NativeChunk> {
    this.#picture = picture;
    try {
      applySettings(this.#context, job.settings);
      check(
        this.#input.fromBuffer(Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength)),
        'take the picture',
      );
      const converted = await this.#converted();
      const frame = (await this.#upload?.upload(converted)) ?? converted;
      frame.pts = BigInt(job.index);
      frame.pictType = job.keyFrame ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
      check(await this.#context.sendFrame(frame), 'encode');
    } finally {
      this.#picture = undefined;
    }
    const packet = this.#packet;
    check(this.#context.receivePacketSync(packet), 'hand over the chunk');
    const data = packet.data;
    if (data === null) throw new Error('the chunk is empty');
    const quantizer = readQuantizer(packet);
    return {
      data,
      type: packet.isKeyframe ? 'key' : 'delta',
      ...(quantizer === undefined ? {} : { quantizer }),
      release: () => packet.unref(),
    };
  }

  free(): void {
    if (this.#picture !== undefined) throw new Error('an encoder cannot be freed while it encodes');
    // Takes 0.1 ms: nothing is delayed. What it answers does not matter any more, and a context that did not open refuses it.
    if (this.#needsEndOfStream) this.#context.sendFrameSync(null);
    this.#context.freeContext();
    this.#packet.free();
    this.#input.free();
    this.#conversion?.output.free();
    this.#conversion?.scaler.freeContext();
    this.#upload?.[Symbol.dispose]();
  }

  async #converted(): Promise<Frame> {
    if (this.#conversion === undefined) return this.#input;
    const { scaler, output, isScaling } = this.#conversion;
    // Without scaling 30 us at 1280x720: less than the hop to a thread and back.
    const rows = isScaling ? await scaler.scaleFrame(output, this.#input) : scaler.scaleFrameSync(output, this.#input);
    check(rows, 'convert the picture');
    return output;
  }
}

/** What the codec gets: the size that is asked for, in the input's format if the codec takes it as it is. */
function encodedShape({ inputFormats }: CodecProfile, config: VideoEncoderConfig): PictureShape {
  const { width, height, format = 'I420' } = config;
  const size = encodedSize(config);
  const isScaled = size.width !== width || size.height !== height;
  const [preferred = 'I420'] = inputFormats;
  return { ...size, format: isScaled || !inputFormats.includes(format) ? preferred : format };
}

/** @param config with the size and format of the pictures that the codec gets */
function configure(context: CodecContext, profile: CodecProfile, config: VideoEncoderConfig & PictureShape): void {
  const framerate = Math.max(1, Math.round(config.framerate * FRAMERATE_DENOMINATOR));
  context.width = config.width;
  context.height = config.height;
  context.pixelFormat = FFMPEG_FORMATS[config.format];
  context.framerate = new Rational(framerate, FRAMERATE_DENOMINATOR);
  context.timeBase = new Rational(FRAMERATE_DENOMINATOR, framerate);
  context.threadCount = config.threads ?? 1;
  for (const [name, value] of Object.entries(profile.options(config))) {
    check(context.setOption(name, value), `set option ${name}=${value}`);
  }
}

function createFrame({ format, width, height }: PictureShape): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.format = FFMPEG_FORMATS[format];
  frame.width = width;
  frame.height = height;
  check(frame.getBuffer(), 'allocate a frame');
  return frame;
}

function createConversion(input: PictureShape, output: PictureShape): Conversion {
  const scaler = new SoftwareScaleContext();
  const isScaling = input.width !== output.width || input.height !== output.height;
  scaler.getContext(
    input.width,
    input.height,
    FFMPEG_FORMATS[input.format],
    output.width,
    output.height,
    FFMPEG_FORMATS[output.format],
    // Averages whole areas: what is scaled down does not flicker.
    isScaling ? SWS_AREA : SWS_POINT,
  );
  return { scaler, output: createFrame(output), isScaling };
}

function isSame(one: PictureShape, other: PictureShape): boolean {
  return one.width === other.width && one.height === other.height && one.format === other.format;
}

function applySettings(context: CodecContext, settings: RateSettings): void {
  const { averageBps, peakBps, bufferBits, maxQuantizer } = settings;
  if (averageBps !== undefined) context.bitRate = BigInt(averageBps);
  if (maxQuantizer !== undefined) context.qMax = maxQuantizer;
  if (peakBps !== undefined) context.rcMaxRate = BigInt(peakBps);
  if (bufferBits !== undefined) context.rcBufferSize = bufferBits;
}

/** The quantizer that x264 reports; libvpx reports none. */
function readQuantizer(packet: Packet): number | undefined {
  const stats = packet.getSideData(AV_PKT_DATA_QUALITY_STATS);
  return stats === null ? undefined : Math.round(stats.readUInt32LE(0) / QUALITY_PER_QUANTIZER);
}
