import { FramelockError } from '../core/errors.js';
import type { VideoEncoderConfig } from './encoder.js';
import { assertCodecHasLayers, isScalabilityMode, SCALABILITY_MODES } from './temporal-layers.js';
import type { PlaneLayout, RawVideoFrame, VideoPixelFormat } from './video-frame.js';

/** Smallest and largest picture side in pixels; sides are even, since both formats halve the chroma. */
const MIN_SIDE = 2;
const MAX_SIDE = 16_384;

/** Bitrates accepted as a target, in bits per second. */
export const MIN_BITRATE_BPS = 1_000;
export const MAX_BITRATE_BPS = 200_000_000;

const MAX_FRAMERATE = 240;
const MAX_SCALE = 16;
const MAX_THREADS = 16;

/** What one plane of a picture takes. */
export interface PlaneShape {
  /** Bytes of picture in each row. */
  readonly rowBytes: number;
  readonly rows: number;
}

/** The planes of a picture: Y, U, V for I420; Y, UV for NV12. */
export function planeShapes(format: VideoPixelFormat, width: number, height: number): readonly PlaneShape[] {
  const luma = { rowBytes: width, rows: height };
  const chroma = { rowBytes: width / 2, rows: height / 2 };
  return format === 'I420' ? [luma, chroma, chroma] : [luma, { rowBytes: width, rows: height / 2 }];
}

/** Bytes of a tightly packed picture: 12 bits a pixel in both formats. */
export function pictureBytes(width: number, height: number): number {
  return (width * height * 3) / 2;
}

/**
 * Checks what an encoder is to be opened with. Whether the back end has the codec is the factory's question.
 *
 * @throws FramelockError INVALID_BITRATE, NOT_SUPPORTED (temporal layers of a codec without), or INVALID_ARGUMENT naming the field
 */
export function validateEncoderConfig(config: VideoEncoderConfig): void {
  const {
    codec,
    width,
    height,
    format = 'I420',
    framerate,
    bitrateBps,
    threads = 1,
    scaleResolutionDownBy = 1,
    scalabilityMode = 'L1T1',
  } = config;
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new FramelockError(
      'INVALID_ARGUMENT',
      `Encoder config: ${field} is ${String(value)}, expected ${expected}.`,
      {
        context: { field, codec },
      },
    );
  };
  const side = `an even integer from ${MIN_SIDE} to ${MAX_SIDE}`;
  if (!isSide(width)) refuse('width', width, side);
  if (!isSide(height)) refuse('height', height, side);
  if (!isPixelFormat(format)) refuse('format', format, 'I420 or NV12');
  if (!(framerate > 0 && framerate <= MAX_FRAMERATE)) {
    refuse('framerate', framerate, `more than 0 and at most ${MAX_FRAMERATE} frames per second`);
  }
  if (!(scaleResolutionDownBy >= 1 && scaleResolutionDownBy <= MAX_SCALE)) {
    refuse('scaleResolutionDownBy', scaleResolutionDownBy, `a number from 1 to ${MAX_SCALE}`);
  }
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS)) {
    refuse('threads', threads, `an integer from 1 to ${MAX_THREADS}`);
  }
  if (!isScalabilityMode(scalabilityMode)) {
    refuse('scalabilityMode', scalabilityMode, SCALABILITY_MODES.join(' or '));
  }
  assertCodecHasLayers(config);
  validateBitrate(bitrateBps);
}

/**
 * Checks a target bitrate.
 *
 * @throws FramelockError INVALID_BITRATE
 */
export function validateBitrate(bitrateBps: number): void {
  if (bitrateBps >= MIN_BITRATE_BPS && bitrateBps <= MAX_BITRATE_BPS) return;
  throw new FramelockError(
    'INVALID_BITRATE',
    `Bitrate is ${String(bitrateBps)}, expected ${MIN_BITRATE_BPS} to ${MAX_BITRATE_BPS} bits per second.`,
    { context: { bitrateBps } },
  );
}

/**
 * Checks a frame against the encoder that is about to read it. Native encoders trust these numbers: a wrong size over-reads memory
 * or hangs, a wrong format crashes the process.
 *
 * @throws FramelockError FRAME_SIZE_MISMATCH if the frame's size is not the encoder's; INVALID_FRAME for anything else
 */
export function validateFrame(frame: RawVideoFrame, config: VideoEncoderConfig): void {
  const { codedWidth: width, codedHeight: height, format, data, layout, timestamp } = frame;
  const expected = config.format ?? 'I420';
  if (format !== expected) {
    throw invalidFrame(`its format is ${String(format)}, the encoder was opened for ${expected}`);
  }
  if (!isSide(width) || !isSide(height)) {
    throw invalidFrame(
      `its size ${String(width)}x${String(height)} is not even or not within ${MIN_SIDE} to ${MAX_SIDE}`,
    );
  }
  if (width !== config.width || height !== config.height) {
    throw new FramelockError(
      'FRAME_SIZE_MISMATCH',
      `Frame is ${width}x${height}, the encoder was opened for ${config.width}x${config.height}; recreate the encoder to change the size.`,
      { context: { width, height, expectedWidth: config.width, expectedHeight: config.height } },
    );
  }
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw invalidFrame(`its timestamp ${String(timestamp)} is not a non-negative integer of microseconds`);
  }
  if (!(data instanceof Uint8Array)) throw invalidFrame('its data is not a Uint8Array');
  if (isShrinkable(data.buffer)) {
    throw invalidFrame('its data is in a resizable ArrayBuffer, whose memory may go while it is read; copy it');
  }
  if (layout === undefined) {
    const needed = pictureBytes(width, height);
    if (data.byteLength < needed) throw invalidFrame(`its data has ${data.byteLength} bytes, ${needed} are needed`);
  } else {
    validateLayout(layout, planeShapes(format, width, height), data.byteLength);
  }
}

/**
 * Checks that the bytes of a frame are still its own, after they were read: by then it may be too late, since native code does not notice when the
 * memory behind them goes.
 *
 * @throws FramelockError INVALID_FRAME
 */
export function assertUntouched({ data, timestamp }: RawVideoFrame): void {
  if (data.byteLength > 0) return;
  throw invalidFrame(
    `its data, captured at ${timestamp} us, was transferred away before its release, while it was encoded: that can crash the process`,
  );
}

/** Shared memory can only grow. */
function isShrinkable(buffer: ArrayBufferLike): boolean {
  return 'resizable' in buffer && buffer.resizable === true;
}

function validateLayout(layout: readonly PlaneLayout[], shapes: readonly PlaneShape[], dataBytes: number): void {
  if (!Array.isArray(layout) || layout.length !== shapes.length) {
    throw invalidFrame(`its layout does not have ${shapes.length} planes`);
  }
  shapes.forEach(({ rowBytes, rows }, index) => {
    const { offset = Number.NaN, stride = Number.NaN } = layout[index] ?? {};
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw invalidFrame(`the offset ${String(offset)} of plane ${index} is not a non-negative integer`);
    }
    if (!Number.isSafeInteger(stride) || stride < rowBytes) {
      throw invalidFrame(`the stride ${String(stride)} of plane ${index} is less than its ${rowBytes} bytes a row`);
    }
    const end = offset + stride * (rows - 1) + rowBytes;
    if (end > dataBytes) {
      throw invalidFrame(`plane ${index} ends at byte ${end}, its data has ${dataBytes}`);
    }
  });
}

function invalidFrame(reason: string): FramelockError {
  return new FramelockError('INVALID_FRAME', `Frame refused: ${reason}.`);
}

function isSide(pixels: number): boolean {
  return Number.isInteger(pixels) && pixels >= MIN_SIDE && pixels <= MAX_SIDE && pixels % 2 === 0;
}

function isPixelFormat(format: string): format is VideoPixelFormat {
  return format === 'I420' || format === 'NV12';
}
