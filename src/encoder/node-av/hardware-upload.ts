import { AV_PIX_FMT_NV12, type AVHWDeviceType, type AVPixelFormat } from 'node-av/constants';
import { type CodecContext, Frame, HardwareDeviceContext, HardwareFramesContext } from 'node-av/lib';
import { check } from './ffmpeg-check.js';

/** A kind of device, and FFmpeg's name for pictures in its memory. */
export interface HardwareMemory {
  readonly device: AVHWDeviceType;
  readonly format: AVPixelFormat;
}

interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** One picture is on its way at a time; the others are the encoder's references. */
const POOL_FRAMES = 4;

/**
 * The way of pictures into the memory of a device, for encoders that take them from nowhere else. Pictures must be NV12, which all such devices
 * take. Owner: one encoder, whose calls do not overlap.
 */
export class HardwareUpload implements Disposable {
  readonly #device = new HardwareDeviceContext();
  readonly #frames = new HardwareFramesContext();
  readonly #frame = new Frame();

  readonly #memory: HardwareMemory;
  readonly #size: PictureSize;

  constructor(memory: HardwareMemory, size: PictureSize) {
    this.#memory = memory;
    this.#size = size;
    this.#frame.alloc();
  }

  /**
   * Opens the device and makes an encoder take its pictures from there. To be called once, before the encoder is opened; throws an error with
   * FFmpeg's text if there is no such device here.
   */
  attach(context: CodecContext): void {
    const { device, format } = this.#memory;
    check(this.#device.create(device), `open a ${HardwareDeviceContext.getTypeName(device) ?? 'hardware'} device`);
    const frames = this.#frames;
    frames.alloc(this.#device);
    frames.format = format;
    frames.swFormat = AV_PIX_FMT_NV12;
    frames.width = this.#size.width;
    frames.height = this.#size.height;
    frames.initialPoolSize = POOL_FRAMES;
    check(frames.init(), 'allocate frames on the device');
    context.pixelFormat = format;
    context.hwFramesCtx = frames;
  }

  /** A copy of the picture on the device, valid until the next call. */
  async upload(picture: Frame): Promise<Frame> {
    const frame = this.#frame;
    // What the encoder still needs of the last one it holds itself.
    frame.unref();
    check(this.#frames.getBuffer(frame), 'take a frame of the device');
    check(await this.#frames.transferData(frame, picture), 'upload a frame');
    return frame;
  }

  /** To be called once, after the encoder is freed. */
  [Symbol.dispose](): void {
    this.#frame.free();
    this.#frames[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }
}
