import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFramelockError } from '../../src/core/errors.js';
import type { VideoEncoderConfig } from '../../src/encoder/encoder.js';
import { PicturePacker } from '../../src/encoder/picture-packer.js';
import {
  MAX_BITRATE_BPS,
  MIN_BITRATE_BPS,
  pictureBytes,
  planeShapes,
  validateEncoderConfig,
  validateFrame,
} from '../../src/encoder/validate-frame.js';
import type { RawVideoFrame, VideoPixelFormat } from '../../src/encoder/video-frame.js';

const config: VideoEncoderConfig = { codec: 'vp8', width: 8, height: 4, framerate: 30, bitrateBps: 500_000 };

function frame(changes: Partial<RawVideoFrame> = {}): RawVideoFrame {
  return { format: 'I420', codedWidth: 8, codedHeight: 4, data: new Uint8Array(48), timestamp: 0, ...changes };
}

function codeOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return isFramelockError(error) ? error.code : 'not coded';
  }
}

const tightLayout = [
  { offset: 0, stride: 8 },
  { offset: 32, stride: 4 },
  { offset: 40, stride: 4 },
];

/** An ArrayBuffer whose owner can take memory back (ES2024). */
function resizable(sizeBytes: number): ArrayBuffer {
  return Reflect.construct(ArrayBuffer, [sizeBytes, { maxByteLength: sizeBytes }]) as ArrayBuffer;
}

describe('validateFrame', () => {
  it('accepts a tight frame, with and without a layout, and one in a longer buffer', () => {
    validateFrame(frame(), config);
    validateFrame(frame({ layout: tightLayout }), config);
    validateFrame(frame({ data: new Uint8Array(100) }), config);
    validateFrame(frame({ data: new Uint8Array(new SharedArrayBuffer(48)) }), config);
  });

  it('refuses a frame of another size than the encoder with FRAME_SIZE_MISMATCH', () => {
    expect(codeOf(() => validateFrame(frame({ codedWidth: 10 }), config))).toBe('FRAME_SIZE_MISMATCH');
    expect(codeOf(() => validateFrame(frame({ codedHeight: 2 }), config))).toBe('FRAME_SIZE_MISMATCH');
  });

  it.each<[string, Partial<RawVideoFrame>]>([
    ['another format than the encoder', { format: 'NV12' }],
    ['an unknown format', { format: 'RGBA' as VideoPixelFormat }],
    ['an odd width', { codedWidth: 7 }],
    ['a size that is not a number', { codedHeight: Number.NaN }],
    ['data that is too short', { data: new Uint8Array(47) }],
    ['data that was transferred away', { data: new Uint8Array(0) }],
    ['data in memory that can shrink', { data: new Uint8Array(resizable(48), 0, 48) }],
    ['data that is no Uint8Array', { data: [] as unknown as Uint8Array }],
    ['a negative timestamp', { timestamp: -1 }],
    ['a fractional timestamp', { timestamp: 0.5 }],
    ['an infinite timestamp', { timestamp: Number.POSITIVE_INFINITY }],
    ['a layout with a plane missing', { layout: tightLayout.slice(0, 2) }],
    ['a layout with a plane too many', { layout: [...tightLayout, { offset: 0, stride: 8 }] }],
    ['a stride below the row', { layout: [{ offset: 0, stride: 7 }, ...tightLayout.slice(1)] }],
    ['a negative offset', { layout: [{ offset: -1, stride: 8 }, ...tightLayout.slice(1)] }],
    ['a fractional stride', { layout: [{ offset: 0, stride: 8.5 }, ...tightLayout.slice(1)] }],
    ['a plane that ends one byte behind the data', { layout: [...tightLayout.slice(0, 2), { offset: 41, stride: 4 }] }],
  ])('refuses %s with INVALID_FRAME', (_, changes) => {
    expect(codeOf(() => validateFrame(frame(changes), config))).toBe('INVALID_FRAME');
  });

  it('lets nothing through whose planes are not within the data, and packs all that it lets through', () => {
    const sides = fc.integer({ min: 1, max: 4 }).map((half) => half * 2);
    const plane = fc.record({ offset: fc.integer({ min: -2, max: 200 }), stride: fc.integer({ min: -1, max: 40 }) });
    fc.assert(
      fc.property(
        fc.constantFrom<VideoPixelFormat>('I420', 'NV12'),
        sides,
        sides,
        fc.option(fc.array(plane, { minLength: 1, maxLength: 4 }), { nil: undefined }),
        fc.uint8Array({ maxLength: 600, size: 'max' }),
        (format, codedWidth, codedHeight, layout, data) => {
          const candidate = frame({
            format,
            codedWidth,
            codedHeight,
            data,
            ...(layout === undefined ? {} : { layout }),
          });
          const code = codeOf(() =>
            validateFrame(candidate, { ...config, format, width: codedWidth, height: codedHeight }),
          );
          if (code !== undefined) {
            expect(code).toBe('INVALID_FRAME');
            return;
          }
          const packed = new PicturePacker().pack(candidate);
          expect(packed.byteLength).toBe(pictureBytes(codedWidth, codedHeight));
          let position = 0;
          for (const [index, { rowBytes, rows }] of planeShapes(format, codedWidth, codedHeight).entries()) {
            for (let row = 0; row < rows; row += 1) {
              const { offset, stride } = layout?.[index] ?? { offset: position - row * rowBytes, stride: rowBytes };
              const from = offset + row * stride;
              expect(from + rowBytes).toBeLessThanOrEqual(data.byteLength);
              const packedRow = packed.subarray(position, position + rowBytes);
              expect(Buffer.compare(packedRow, data.subarray(from, from + rowBytes))).toBe(0);
              position += rowBytes;
            }
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('passes a tight picture on without a copy, and copies a padded one', () => {
    const packer = new PicturePacker();
    const tight = frame({ layout: tightLayout.map(({ offset, stride }) => ({ offset: offset + 3, stride })) });
    const shifted = { ...tight, data: new Uint8Array(51) };
    expect(packer.pack(shifted).buffer).toBe(shifted.data.buffer);
    expect(packer.pack(shifted).byteOffset).toBe(3);
    const padded = frame({
      data: new Uint8Array(100).map((_, index) => index),
      layout: [
        { offset: 0, stride: 16 },
        { offset: 64, stride: 8 },
        { offset: 80, stride: 8 },
      ],
    });
    expect([...packer.pack(padded).subarray(6, 10)]).toEqual([6, 7, 16, 17]);
  });
});

describe('validateEncoderConfig', () => {
  it('accepts the ends of every range', () => {
    validateEncoderConfig({
      ...config,
      width: 2,
      height: 16_384,
      framerate: 240,
      bitrateBps: MIN_BITRATE_BPS,
      threads: 16,
    });
    validateEncoderConfig({ ...config, framerate: 0.1, bitrateBps: MAX_BITRATE_BPS, threads: 1, format: 'NV12' });
  });

  it.each([999, 200_000_001, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a bitrate of %s', (bitrateBps) => {
    expect(codeOf(() => validateEncoderConfig({ ...config, bitrateBps }))).toBe('INVALID_BITRATE');
  });

  it.each<[string, Partial<VideoEncoderConfig>]>([
    ['an odd width', { width: 7 }],
    ['a height of 0', { height: 0 }],
    ['a width above 16384', { width: 16_386 }],
    ['a frame rate of 0', { framerate: 0 }],
    ['a frame rate above 240', { framerate: 241 }],
    ['a frame rate that is not a number', { framerate: Number.NaN }],
    ['no threads', { threads: 0 }],
    ['half a thread', { threads: 1.5 }],
    ['an unknown format', { format: 'RGBA' as VideoPixelFormat }],
  ])('refuses %s with INVALID_ARGUMENT naming the field', (_, changes) => {
    const attempt = () => validateEncoderConfig({ ...config, ...changes });
    expect(codeOf(attempt)).toBe('INVALID_ARGUMENT');
    expect(attempt).toThrow(Object.keys(changes)[0] ?? '');
  });
});
