import { crc32 } from 'node:zlib';
import { HEADER_BYTES } from '../../src/source/raw-stream/frame-header.js';

/** What a header is to say, as docs/sources.md lays it out; the rest has its defaults. */
export interface HeaderFields {
  readonly version?: number;
  readonly headerBytes?: number;
  readonly format?: string;
  readonly width?: number;
  readonly height?: number;
  readonly stride?: number;
  readonly framerateMillihertz?: number;
  readonly captureClock?: number;
  readonly captureTimeUs?: bigint;
  readonly frameNumber?: bigint;
  readonly payloadBytes?: number;
}

/** A header of 4x2 pixels in I420, or of what the fields say, true or not, with its check sum. */
export function headerOf(fields: HeaderFields = {}): Buffer {
  const { width = 4, height = 2, stride = 0, headerBytes = HEADER_BYTES } = fields;
  const header = Buffer.alloc(headerBytes);
  header.write('FLRF', 0, 'latin1');
  header.writeUInt16LE(fields.version ?? 1, 4);
  header.writeUInt16LE(headerBytes, 6);
  header.write(fields.format ?? 'I420', 8, 4, 'latin1');
  header.writeUInt32LE(width, 12);
  header.writeUInt32LE(height, 16);
  header.writeUInt32LE(stride, 20);
  header.writeUInt32LE(fields.framerateMillihertz ?? 0, 24);
  header.writeUInt32LE(fields.captureClock ?? 0, 28);
  header.writeBigUInt64LE(fields.captureTimeUs ?? 0n, 32);
  header.writeBigUInt64LE(fields.frameNumber ?? 0n, 40);
  header.writeUInt32LE(fields.payloadBytes ?? ((stride || width) * height * 3) / 2, 48);
  header.writeUInt32LE(crc32(header.subarray(0, headerBytes - 4)), headerBytes - 4);
  return header;
}

/** A header and a payload of the length that it tells, all of `value`. */
export function pictureOf(value: number, fields: HeaderFields = {}): Buffer {
  const header = headerOf(fields);
  return Buffer.concat([header, Buffer.alloc(header.readUInt32LE(48), value)]);
}
