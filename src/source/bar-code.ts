import { FramelockError } from '../core/errors.js';

/** What the bar code of a picture says. */
export interface BarCode {
  /** Which camera or track drew the picture, 0 to 255. */
  readonly cameraId: number;
  /** Number of the picture, 0 to 2^32 - 1. */
  readonly frameNumber: number;
  /** Capture time in microseconds on the time base of `Clock.nowUs`, 0 to 2^53 - 1. */
  readonly captureTimeUs: number;
}

/** The picture that a bar code is drawn into: I420, the planes one after another. */
export interface BarCodeTarget {
  readonly data: Uint8Array;
  /** Even. At least 160, better 320. */
  readonly width: number;
  /** Even. At least 120, better 240. */
  readonly height: number;
  /** Bytes from one luma row to the next, even; a chroma row takes half. @default width */
  readonly stride?: number;
}

/** Cells across the full width of the picture. */
const COLUMNS = 32;
/** Rows of cells, at the bottom of the picture. */
const ROWS = 4;
/** A row of cells takes this fraction of the picture's height. */
const ROWS_PER_PICTURE = 30;
const DATA_COLUMNS = COLUMNS - 2;
/** 120 data cells: 13 bytes of payload and 2 of check sum. */
const PAYLOAD_BYTES = 13;
const CODE_BYTES = 15;
/** Black and white of video-range luma (ITU-R BT.601 section 2.5.3). */
const BLACK = 16;
const WHITE = 235;
const NEUTRAL_CHROMA = 128;
/** Reference cells closer together than this are not a bar code. */
const MIN_CONTRAST = 64;
const MIN_WIDTH = 160;
const MIN_HEIGHT = 120;
const TWO_POW_32 = 0x1_0000_0000;

/** Height in pixels of the strip at the bottom of a picture that its bar code covers. */
export function barCodeHeight(pictureHeight: number): number {
  return pictureHeight - rowEdge(0, pictureHeight);
}

/**
 * Draws a machine-readable bar code over the bottom 4/30 of a picture, for measuring loss and latency end to end.
 *
 * Layout, so that anyone can read it: 4 rows of 32 cells. Cell (row r, column c) of a picture of W x H pixels spans
 * x in [round(c W / 32), round((c + 1) W / 32)) and y in [round((26 + r) H / 30), round((27 + r) H / 30)). Column 0 is
 * the black reference (Y = 16) and column 31 the white one (Y = 235) of every row; U = V = 128 throughout. The 30 columns
 * between them carry 120 bits, white for 1, row by row from the top left, most significant bit first:
 *
 * | bits | field |
 * |---|---|
 * | 8 | camera id |
 * | 32 | frame number |
 * | 64 | capture time in microseconds, of which the upper 11 bits are 0 |
 * | 16 | check sum of the 13 bytes before it |
 *
 * The check sum is CRC-16 with the polynomial x^16 + x^12 + x^5 + 1 of ITU-T V.41, initial value 0xFFFF, not reflected, no
 * final XOR ("CRC-16/CCITT-FALSE", 0x29B1 for the ASCII string 123456789).
 *
 * The geometry is relative to the size of the picture, so a receiver reads it at whatever scale it gets the picture.
 *
 * @throws FramelockError INVALID_ARGUMENT if a field is out of range, the picture too small or its data too short
 */
export function drawBarCode(target: BarCodeTarget, code: BarCode): void {
  const { data, width, height, stride = width } = target;
  checkTarget(data, width, height, stride);
  const bytes = encode(code);
  for (let row = 0; row < ROWS; row += 1) {
    const top = rowEdge(row, height);
    const first = top * stride;
    for (let column = 0; column < COLUMNS; column += 1) {
      const level = isWhite(bytes, row, column) ? WHITE : BLACK;
      data.fill(level, first + columnEdge(column, width), first + columnEdge(column + 1, width));
    }
    const bottom = rowEdge(row + 1, height);
    for (let y = top + 1; y < bottom; y += 1) data.copyWithin(y * stride, first, first + width);
  }
  neutralizeChroma(data, width, height, stride);
}

/**
 * Reads the bar code of {@link drawBarCode} from the luma plane of a picture, at the size it was drawn or scaled.
 *
 * @param stride bytes from one row to the next, by default `width`
 * @returns undefined if there is no bar code or it is damaged
 */
export function readBarCode(luma: Uint8Array, width: number, height: number, stride = width): BarCode | undefined {
  return read(luma, width, height, stride, 1);
}

/**
 * As {@link readBarCode}, from RGBA pixels such as `CanvasRenderingContext2D.getImageData` returns them. It looks at the
 * green channel alone: the cells are grey.
 */
export function readBarCodeRgba(
  rgba: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): BarCode | undefined {
  return read(rgba.subarray(1), width, height, width * 4, 4);
}

/** `pixelStride` is the number of bytes from one pixel to the next in its row. */
function read(
  samples: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  stride: number,
  pixelStride: number,
): BarCode | undefined {
  if (width < COLUMNS || height < ROWS_PER_PICTURE) return undefined;
  if (samples.length < (height - 1) * stride + (width - 1) * pixelStride + 1) return undefined;
  const levels = new Float64Array(ROWS * COLUMNS);
  let black = 0;
  let white = 0;
  for (let row = 0; row < ROWS; row += 1) {
    const y = middle(rowEdge(row, height), rowEdge(row + 1, height));
    for (let column = 0; column < COLUMNS; column += 1) {
      const x = middle(columnEdge(column, width), columnEdge(column + 1, width));
      levels[row * COLUMNS + column] = average(samples, x, y, stride, pixelStride);
    }
    black += (levels[row * COLUMNS] ?? 0) / ROWS;
    white += (levels[row * COLUMNS + COLUMNS - 1] ?? 0) / ROWS;
  }
  if (white - black < MIN_CONTRAST) return undefined;
  return decode(slice(levels, (black + white) / 2));
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The middle half of a cell, away from the edges that codecs and scalers smear. At least one pixel. */
function middle(from: number, to: number): Range {
  const margin = Math.floor((to - from) / 4);
  return { from: from + margin, to: Math.max(from + margin + 1, to - margin) };
}

function average(
  samples: Uint8Array | Uint8ClampedArray,
  x: Range,
  y: Range,
  stride: number,
  pixelStride: number,
): number {
  let sum = 0;
  for (let row = y.from; row < y.to; row += 1) {
    for (let column = x.from; column < x.to; column += 1) sum += samples[row * stride + column * pixelStride] ?? 0;
  }
  return sum / ((x.to - x.from) * (y.to - y.from));
}

function slice(levels: Float64Array, threshold: number): Uint8Array {
  const bytes = new Uint8Array(CODE_BYTES);
  for (let bit = 0; bit < CODE_BYTES * 8; bit += 1) {
    const cell = Math.floor(bit / DATA_COLUMNS) * COLUMNS + 1 + (bit % DATA_COLUMNS);
    if ((levels[cell] ?? 0) > threshold) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  }
  return bytes;
}

function isWhite(bytes: Uint8Array, row: number, column: number): boolean {
  if (column === 0) return false;
  if (column === COLUMNS - 1) return true;
  const bit = row * DATA_COLUMNS + column - 1;
  return ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}

function rowEdge(row: number, height: number): number {
  return Math.round(((ROWS_PER_PICTURE - ROWS + row) * height) / ROWS_PER_PICTURE);
}

function columnEdge(column: number, width: number): number {
  return Math.round((column * width) / COLUMNS);
}

function neutralizeChroma(data: Uint8Array, width: number, height: number, stride: number): void {
  const chromaStride = stride / 2;
  const chromaHeight = height / 2;
  const top = Math.floor(rowEdge(0, height) / 2);
  for (let plane = 0; plane < 2; plane += 1) {
    const start = stride * height + plane * chromaStride * chromaHeight;
    for (let y = top; y < chromaHeight; y += 1) {
      data.fill(NEUTRAL_CHROMA, start + y * chromaStride, start + y * chromaStride + width / 2);
    }
  }
}

function encode(code: BarCode): Uint8Array {
  checkField('cameraId', code.cameraId, 0xff);
  checkField('frameNumber', code.frameNumber, TWO_POW_32 - 1);
  checkField('captureTimeUs', code.captureTimeUs, Number.MAX_SAFE_INTEGER);
  const bytes = new Uint8Array(CODE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, code.cameraId);
  view.setUint32(1, code.frameNumber);
  view.setUint32(5, Math.floor(code.captureTimeUs / TWO_POW_32));
  view.setUint32(9, code.captureTimeUs % TWO_POW_32);
  view.setUint16(PAYLOAD_BYTES, crc16(bytes.subarray(0, PAYLOAD_BYTES)));
  return bytes;
}

function decode(bytes: Uint8Array): BarCode | undefined {
  const view = new DataView(bytes.buffer);
  if (view.getUint16(PAYLOAD_BYTES) !== crc16(bytes.subarray(0, PAYLOAD_BYTES))) return undefined;
  const captureTimeUs = view.getUint32(5) * TWO_POW_32 + view.getUint32(9);
  if (!Number.isSafeInteger(captureTimeUs)) return undefined;
  return { cameraId: view.getUint8(0), frameNumber: view.getUint32(1), captureTimeUs };
}

function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc;
}

function checkField(field: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new FramelockError('INVALID_ARGUMENT', `bar code: ${field} must be an integer from 0 to ${max}, not ${value}`, {
    context: { field, value, max },
  });
}

function checkTarget(data: Uint8Array, width: number, height: number, stride: number): void {
  const context = { width, height, stride, sizeBytes: data.length };
  const even = width % 2 === 0 && height % 2 === 0 && stride % 2 === 0;
  if (!even || width < MIN_WIDTH || height < MIN_HEIGHT || stride < width) {
    const wanted = `an even size of at least ${MIN_WIDTH}x${MIN_HEIGHT}`;
    const message = `bar code: the picture must have ${wanted}, not ${width}x${height} with a stride of ${stride}`;
    throw new FramelockError('INVALID_ARGUMENT', message, { context });
  }
  if (data.length < (stride * height * 3) / 2) {
    const message = `bar code: ${data.length} bytes are too few for an I420 picture of ${width}x${height}`;
    throw new FramelockError('INVALID_ARGUMENT', message, { context });
  }
}
