import { AV_PIX_FMT_YUV420P, AVCOL_RANGE_JPEG, AVCOL_RANGE_MPEG } from 'node-av/constants';
import { FFmpegError, Frame, SoftwareScaleContext } from 'node-av/lib';

/** Whether a decoded picture is something else than 4:2:0 in video range, which is what encoders expect. */
export function needsConversion(picture: Frame): boolean {
  return picture.format !== AV_PIX_FMT_YUV420P || picture.colorRange === AVCOL_RANGE_JPEG;
}

/**
 * Converts decoded pictures of any pixel format to 4:2:0 in video range at the same size, off the JavaScript thread.
 *
 * Owner: one reader, which has at most one `convert` in flight and calls `free` when there is none.
 */
export class Yuv420Converter {
  readonly #scaler = new SoftwareScaleContext();
  readonly #output = new Frame();

  /** @param width of the pictures, pixels; @param height of the pictures, pixels */
  constructor(width: number, height: number) {
    // Left unconfigured, the scaler takes pixel formats and colour ranges from the two frames.
    this.#scaler.allocContext();
    this.#output.alloc();
    this.#output.format = AV_PIX_FMT_YUV420P;
    this.#output.width = width;
    this.#output.height = height;
    this.#output.colorRange = AVCOL_RANGE_MPEG;
    FFmpegError.throwIfError(this.#output.allocBuffer(), 'allocate a picture for conversion');
  }

  /** The converted picture: valid until the next `convert` or `free`. */
  async convert(picture: Frame): Promise<Frame> {
    this.#output.colorSpace = picture.colorSpace;
    FFmpegError.throwIfError(await this.#scaler.scaleFrame(this.#output, picture), 'convert a picture to 4:2:0');
    return this.#output;
  }

  free(): void {
    this.#output.free();
    this.#scaler.freeContext();
  }
}
