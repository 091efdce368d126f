import { crc32 } from 'node:zlib';
import { FramelockError } from '../../core/errors.js';
import { pictureBytes } from '../../encoder/validate-frame.js';
import type { PlaneLayout, VideoPixelFormat } from '../../encoder/video-frame.js';

/** `FLRF`, the first four bytes of every header. */
export const MAGIC: readonly number[] = [0x46, 0x4c, 0x52, 0x46];
/** Bytes that tell whether a header begins here, and how long it is. */
export const PREFIX_BYTES = 8;
/** The header of version 1; a later one may be longer, and its further fields are skipped. */
export const HEADER_BYTES = 64;
/** No header is longer. */
export const MAX_HEADER_BYTES = 256;
/** The largest picture: 8192x5461 and the like. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

const VERSION = 1;
const MAX_SIDE = 16_384;
const MAX_STRIDE = 65_536;
const MAX_FRAMERATE_MILLIHERTZ = 240_000;
const DEFAULT_FRAMERATE = 30;
const CRC_BYTES = 4;

/** Which clock a capture time was read from. */
export type CaptureClock = 'none' | 'monotonic' | 'realtime';

const CLOCKS: readonly CaptureClock[] = ['none', 'monotonic', 'realtime'];
const FORMATS: readonly VideoPixelFormat[] = ['I420', 'NV12'];

/** What stands in front of a picture. */
export interface RawFrameHeader {
  readonly format: VideoPixelFormat;
  /** Pixels, even. */
  readonly width: number;
  /** Pixels, even. */
  readonly height: number;
  /** Bytes from one row of luma to the next. */
  readonly strideBytes: number;
  /** Nominal, in frames per second. */
  readonly framerate: number;
  readonly captureClock: CaptureClock;
  /** Microseconds on `captureClock`; 0 for `none`. */
  readonly captureTimeUs: number;
  readonly frameNumber: number;
  readonly payloadBytes: number;
}

/**
 * How long the header that begins with these bytes is.
 * @param bytes at least {@link PREFIX_BYTES}
 * @returns nothing if no header begins with them
 */
export function headerLength(bytes: Uint8Array): number | undefined {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined;
  const length = viewOf(bytes).getUint16(6, true);
  return length >= HEADER_BYTES && length <= MAX_HEADER_BYTES ? length : undefined;
}

/** Whether a header is undamaged: its last four bytes are the CRC-32 (ISO 3309, as in zlib) of those before them. @param bytes the whole header */
export function isIntact(bytes: Uint8Array): boolean {
  const end = bytes.length - CRC_BYTES;
  return viewOf(bytes).getUint32(end, true) === crc32(bytes.subarray(0, end));
}

/**
 * Reads an undamaged header; docs/sources.md has its layout.
 * @throws FramelockError SOURCE_MALFORMED, with the field in its context: what is there cannot be, so its writer has a fault
 */
export function readHeader(bytes: Uint8Array): RawFrameHeader {
  const view = viewOf(bytes);
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw malformed('version', version, `${VERSION}`);
  const format = fourCharacters(bytes.subarray(8, 12));
  if (!isFormat(format)) throw malformed('pixel format', JSON.stringify(format), FORMATS.join(' or '));
  const width = side('width', view.getUint32(12, true));
  const height = side('height', view.getUint32(16, true));
  const strideBytes = view.getUint32(20, true) || width;
  if (strideBytes < width || strideBytes > MAX_STRIDE || strideBytes % 2 !== 0) {
    throw malformed('stride', strideBytes, `an even number from the width, ${width}, to ${MAX_STRIDE}`);
  }
  const millihertz = view.getUint32(24, true);
  if (millihertz > MAX_FRAMERATE_MILLIHERTZ) {
    throw malformed('frame rate', millihertz, `up to ${MAX_FRAMERATE_MILLIHERTZ} thousandths of a frame per second`);
  }
  const captureClock = CLOCKS[view.getUint32(28, true)];
  if (captureClock === undefined) throw malformed('capture clock', view.getUint32(28, true), '0, 1 or 2');
  const payloadBytes = view.getUint32(48, true);
  const expectedBytes = pictureBytes(strideBytes, height);
  if (payloadBytes !== expectedBytes) {
    const why = `${expectedBytes} for ${width}x${height} with a stride of ${strideBytes}`;
    throw malformed('payload length', payloadBytes, why);
  }
  if (payloadBytes > MAX_PAYLOAD_BYTES) throw malformed('payload length', payloadBytes, `at most ${MAX_PAYLOAD_BYTES}`);
  return {
    format,
    width,
    height,
    strideBytes,
    framerate: millihertz === 0 ? DEFAULT_FRAMERATE : millihertz / 1000,
    captureClock,
    captureTimeUs: safeInteger('capture time', view.getBigUint64(32, true)),
    frameNumber: safeInteger('frame number', view.getBigUint64(40, true)),
    payloadBytes,
  };
}

/** Where the planes of a picture are; nothing where they are tightly packed. */
export function layoutOf({ format, width, height, strideBytes }: RawFrameHeader): readonly PlaneLayout[] | undefined {
  if (strideBytes === width) return undefined;
  const luma = { offset: 0, stride: strideBytes };
  const chromaOffset = strideBytes * height;
  if (format === 'NV12') return [luma, { offset: chromaOffset, stride: strideBytes }];
  const stride = strideBytes / 2;
  return [luma, { offset: chromaOffset, stride }, { offset: chromaOffset + (stride * height) / 2, stride }];
}

function side(field: string, pixels: number): number {
  if (pixels >= 2 && pixels <= MAX_SIDE && pixels % 2 === 0) return pixels;
  throw malformed(field, pixels, `an even number from 2 to ${MAX_SIDE}`);
}

function safeInteger(field: string, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw malformed(field, `${value}`, 'less than 2^53');
}

function fourCharacters(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function isFormat(text: string): text is VideoPixelFormat {
  return FORMATS.some((format) => format === text);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function malformed(field: string, value: string | number, expected: string): FramelockError {
  return new FramelockError('SOURCE_MALFORMED', `a frame header has the ${field} ${value}; it must be ${expected}`, {
    context: { field, value },
  });
}
