import {
  AV_FRAME_FLAG_CORRUPT,
  AV_LOG_FATAL,
  AV_NOPTS_VALUE,
  AVDISCARD_ALL,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_FLAG_BACKWARD,
  AVSEEK_FLAG_BYTE,
} from 'node-av/constants';
import { Codec, CodecContext, FormatContext, Frame, Log, Packet, type Stream } from 'node-av/lib';
import { describeError, FramelockError } from '../../core/errors.js';
import type { FrameSourceFormat } from '../frame-source.js';
import { openCamera } from '../v4l2/open-camera.js';
import type { MediaLocation } from './media-location.js';
import { openVideo } from './open-video.js';
import { copyCropped } from './plane-copy.js';
import { ReadFaults } from './read-faults.js';
import { needsConversion, Yuv420Converter } from './yuv420-converter.js';

/** For containers that do not tell a frame rate. */
const FALLBACK_FRAMERATE = 25;
const MAX_SIZE = 16_384;

/**
 * Reads the pictures of a video's best video stream, one after another, through FFmpeg. Demuxing, decoding and conversion run on
 * libuv's threads. FFmpeg's own log is process-wide; opening a reader limits it to fatal errors.
 *
 * Owner: one playback loop, which has at most one `open`, `next` or `rewind` in flight. Only `interrupt` may be called
 * meanwhile. All native memory is freed by `close` and nowhere else.
 */
export class VideoReader {
  readonly #location: MediaLocation;
  readonly #idle: () => Promise<void>;
  readonly #faults: ReadFaults;
  readonly #input = new FormatContext();
  readonly #decoder = new CodecContext();
  readonly #packet = new Packet();
  readonly #decoded = new Frame();
  #converter: Yuv420Converter | undefined;
  /** Where the latest picture is: in `#decoded`, or in the converter. */
  #picture: Frame = this.#decoded;
  #stream: Stream | undefined;
  #format: FrameSourceFormat = { width: 0, height: 0, framerate: 0 };
  #sourceWidth = 0;
  #sourceHeight = 0;
  #isAllocated = false;
  #interrupted = false;
  #closed = false;

  /** @param idle waits a little where a camera has no picture yet; only they need it */
  constructor(location: MediaLocation, idle: () => Promise<void> = async () => undefined) {
    this.#location = location;
    this.#idle = idle;
    this.#faults = new ReadFaults(location);
  }

  /** Known after `open`: the size of the pictures, odd sizes cropped to even, and the nominal frame rate. */
  get format(): FrameSourceFormat {
    return this.#format;
  }

  /** Unreadable places, packets that could not be decoded, and pictures that FFmpeg had to patch up. */
  get damaged(): number {
    return this.#faults.damaged;
  }

  /** Time stamp of the latest picture in microseconds, if it has one. */
  get stampUs(): number | undefined {
    const stamp = this.#decoded.bestEffortTimestamp;
    if (this.#stream === undefined || stamp === AV_NOPTS_VALUE) return undefined;
    const { num, den } = this.#stream.timeBase;
    return (Number(stamp) * num * 1_000_000) / den;
  }

  /** @throws FramelockError SOURCE_NOT_FOUND, SOURCE_FAILED */
  async open(): Promise<void> {
    Log.setLevel(AV_LOG_FATAL);
    // Without a context beforehand, `interrupt` would not reach the protocol that openInput opens.
    this.#input.allocContext();
    this.#isAllocated = true;
    const { camera } = this.#location;
    if (camera !== undefined) {
      await openCamera(this.#input, camera);
    } else {
      await openVideo(this.#input, this.#location);
      this.#faults.check(await this.#input.findStreamInfo(null), 'read the streams of');
    }
    const index = this.#input.findBestStream(AVMEDIA_TYPE_VIDEO);
    const stream = this.#input.streams[index];
    if (index < 0 || stream === undefined) throw this.#failed('has no video stream');
    for (const other of this.#input.streams) if (other.index !== index) other.discard = AVDISCARD_ALL;
    this.#stream = stream;
    this.#readFormat(stream);
    await this.#openDecoder(stream);
  }

  /**
   * Decodes the next picture and makes it the latest; false at the end of the video and after `interrupt`.
   * @throws FramelockError SOURCE_FAILED
   */
  async next(): Promise<boolean> {
    while (!this.#interrupted) {
      const result = await this.#decoder.receiveFrame(this.#decoded);
      if (result >= 0) {
        await this.#accept();
        return true;
      }
      if (result === AVERROR_EOF) return false;
      if (result !== AVERROR_EAGAIN) this.#faults.count();
      await this.#feed();
    }
    return false;
  }

  /** Copies the latest picture into `target` as tightly packed I420 of the size told by `format`. */
  copyPicture(target: Uint8Array): void {
    const planes = this.#picture.data;
    if (planes === null) throw this.#failed('was read without a picture');
    copyCropped({ planes, strides: this.#picture.linesize }, this.#format.width, this.#format.height, target);
  }

  /**
   * Whether it can be played again. A live stream, which has no duration, cannot: what FFmpeg still has of it in its buffer it would play again and
   * again, as if it were live.
   */
  get isRepeatable(): boolean {
    const { duration } = this.#input;
    return !this.#location.isNetwork || (duration !== AV_NOPTS_VALUE && duration > 0n);
  }

  /**
   * Back to the first picture.
   * @throws FramelockError SOURCE_FAILED if the video can't be repeated
   */
  async rewind(): Promise<void> {
    const start = this.#stream?.startTime ?? AV_NOPTS_VALUE;
    const target = start === AV_NOPTS_VALUE ? 0n : start;
    const index = this.#stream?.index ?? 0;
    const byTime = await this.#input.seekFrame(index, target, AVSEEK_FLAG_BACKWARD);
    // Bare bitstreams have no times to go to.
    const result = byTime < 0 ? await this.#input.seekFrame(index, 0n, AVSEEK_FLAG_BYTE) : byTime;
    this.#faults.check(result, 'go back to the start of');
    this.#decoder.flushBuffers();
  }

  /** Ends a call that waits for data, and all later ones. */
  interrupt(): void {
    this.#interrupted = true;
    if (this.#isAllocated && !this.#closed) this.#input.interrupt();
  }

  /** Frees all native memory. Idempotent. Not to be called while another call is in flight. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#converter?.free();
    this.#decoded.free();
    this.#packet.free();
    this.#decoder.freeContext();
    await this.#input.closeInput();
  }

  #readFormat(stream: Stream): void {
    const { width, height } = stream.codecpar;
    if (width < 2 || height < 2 || width > MAX_SIZE || height > MAX_SIZE) {
      throw this.#failed(`has pictures of ${width}x${height} pixels; 2 to ${MAX_SIZE} are supported`);
    }
    this.#sourceWidth = width;
    this.#sourceHeight = height;
    const { num, den } = stream.avgFrameRate.num > 0 ? stream.avgFrameRate : stream.rFrameRate;
    const framerate = num > 0 && den > 0 ? num / den : FALLBACK_FRAMERATE;
    this.#format = { width: width - (width % 2), height: height - (height % 2), framerate };
  }

  async #openDecoder(stream: Stream): Promise<void> {
    const codec = Codec.findDecoder(stream.codecpar.codecId);
    if (codec === null) throw this.#failed('is in a video format without a decoder');
    this.#decoder.allocContext3(codec);
    this.#faults.check(this.#decoder.parametersToContext(stream.codecpar), 'set up the decoder of');
    this.#decoder.pktTimebase = stream.timeBase;
    // One thread: several would add frames of delay, and the machine's cores belong to the encoders.
    this.#decoder.threadCount = 1;
    this.#faults.check(await this.#decoder.open2(codec, null), 'open the decoder of');
    this.#packet.alloc();
    this.#decoded.alloc();
  }

  /** Hands one packet to the decoder, or tells it that there are no more. */
  async #feed(): Promise<void> {
    const result = await this.#input.readFrame(this.#packet);
    if (result === AVERROR_EOF) {
      await this.#decoder.sendPacket(null);
      return;
    }
    if (result === AVERROR_EAGAIN && this.#location.camera !== undefined) {
      await this.#idle();
      return;
    }
    if (result < 0) {
      if (!this.#interrupted) this.#faults.unreadable(result);
      return;
    }
    this.#faults.readable();
    if (this.#packet.streamIndex === this.#stream?.index && (await this.#decoder.sendPacket(this.#packet)) < 0) {
      this.#faults.count();
    }
    this.#packet.unref();
  }

  async #accept(): Promise<void> {
    const { width, height } = this.#decoded;
    if (width !== this.#sourceWidth || height !== this.#sourceHeight) {
      const sizes = `${this.#sourceWidth}x${this.#sourceHeight} to ${width}x${height}`;
      const message = `${this.#location.label} changed its picture size from ${sizes}; open it again for the new size`;
      const context = { location: this.#location.label, width, height };
      throw new FramelockError('SOURCE_FORMAT_CHANGED', message, { context });
    }
    if (this.#decoded.decodeErrorFlags !== 0 || this.#decoded.hasFlags(AV_FRAME_FLAG_CORRUPT)) this.#faults.count();
    this.#picture = needsConversion(this.#decoded) ? await this.#convert() : this.#decoded;
  }

  async #convert(): Promise<Frame> {
    try {
      this.#converter ??= new Yuv420Converter(this.#sourceWidth, this.#sourceHeight);
      return await this.#converter.convert(this.#decoded);
    } catch (cause) {
      throw this.#failed(`has pictures that can't be converted to I420: ${describeError(cause)}`, cause);
    }
  }

  #failed(reason: string, cause?: unknown): FramelockError {
    const { label } = this.#location;
    return new FramelockError('SOURCE_FAILED', `${label} ${reason}`, { cause, context: { location: label } });
  }
}
