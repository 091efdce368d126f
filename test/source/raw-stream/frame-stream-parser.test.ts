import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf, MAX_PAYLOAD_BYTES, type RawFrameHeader } from '../../../src/source/raw-stream/frame-header.js';
import { FrameStreamParser } from '../../../src/source/raw-stream/frame-stream-parser.js';
import { type HeaderFields, headerOf, pictureOf } from '../../support/frame-stream.js';

const PICTURE_BYTES = 12;

/** A parser, and the pictures that it found: number and first byte. */
function parser({ joins = false, room = (): boolean => true } = {}) {
  const headers: RawFrameHeader[] = [];
  const found: [number, number][] = [];
  let target: Uint8Array | undefined;
  const handler = {
    begin: (header: RawFrameHeader) => {
      headers.push(header);
      target = room() ? new Uint8Array(header.payloadBytes) : undefined;
      return target;
    },
    complete: ({ frameNumber }: RawFrameHeader) => void found.push([frameNumber, target?.[0] ?? -1]),
  };
  return { headers, found, parser: new FrameStreamParser(handler, joins) };
}

function numbered(count: number): Buffer[] {
  return Array.from({ length: count }, (_, number) => pictureOf(number, { frameNumber: BigInt(number) }));
}

describe('the stream of frames', () => {
  it('is read whole, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 60 }), (cuts) => {
        const { parser: reader, found } = parser();
        let rest = Buffer.concat(numbered(5));
        for (const cut of cuts) {
          reader.push(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        reader.push(rest);
        expect(found).toEqual([0, 1, 2, 3, 4].map((number) => [number, number]));
        expect(reader.isInterrupted).toBe(false);
      }),
    );
  });

  it('tells all that a header says', () => {
    const { parser: reader, headers } = parser();
    reader.push(
      headerOf({
        format: 'NV12',
        width: 6,
        height: 4,
        stride: 8,
        framerateMillihertz: 29_970,
        captureClock: 1,
        captureTimeUs: 123_456_789_012n,
        frameNumber: 77n,
      }),
    );
    expect(headers).toEqual([
      {
        format: 'NV12',
        width: 6,
        height: 4,
        strideBytes: 8,
        framerate: 29.97,
        captureClock: 'monotonic',
        captureTimeUs: 123_456_789_012,
        frameNumber: 77,
        payloadBytes: 48,
      },
    ]);
    expect(headers.map(layoutOf)).toEqual([
      [
        { offset: 0, stride: 8 },
        { offset: 32, stride: 8 },
      ],
    ]);
  });

  it('has the planes of I420 at half the stride, and no layout where it is tightly packed', () => {
    const { parser: reader, headers } = parser();
    reader.push(pictureOf(0, { width: 6, height: 4, stride: 8 }));
    reader.push(pictureOf(0));
    expect(headers.map(layoutOf)).toEqual([
      [
        { offset: 0, stride: 8 },
        { offset: 32, stride: 4 },
        { offset: 40, stride: 4 },
      ],
      undefined,
    ]);
    expect(headers[1]).toMatchObject({ framerate: 30, strideBytes: 4, captureClock: 'none' });
  });

  it('may have longer headers of the same version', () => {
    const { parser: reader, found } = parser();
    reader.push(Buffer.concat([pictureOf(1, { headerBytes: 96 }), pictureOf(2)]));
    expect(found.map(([, value]) => value)).toEqual([1, 2]);
  });

  it('leaves out pictures for which there is no room', () => {
    let room = false;
    const { parser: reader, found } = parser({ room: () => room });
    reader.push(pictureOf(1));
    room = true;
    reader.push(pictureOf(2));
    expect(found.map(([, value]) => value)).toEqual([2]);
  });

  it('goes on at the next undamaged header after garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.nat(3), (garbage, cut) => {
        const { parser: reader, found } = parser();
        const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = numbered(2);
        // What looks like the begin of a header is none.
        reader.push(Buffer.concat([first, garbage, Buffer.from('FLRF').subarray(0, cut), second]));
        expect(found).toEqual([
          [0, 0],
          [1, 1],
        ]);
        expect(reader.bytesSkipped).toBe(garbage.length + cut);
        expect(reader.resyncs).toBe(1);
      }),
    );
  });

  it('takes a damaged header for garbage, and finds the picture behind it', () => {
    const { parser: reader, found } = parser();
    const damaged = pictureOf(7);
    damaged[20] = 1;
    reader.push(Buffer.concat([pictureOf(1), damaged, pictureOf(2)]));
    expect(found.map(([, value]) => value)).toEqual([1, 2]);
    expect(reader.bytesSkipped).toBe(damaged.length);
  });

  it('may be joined in the midst of a picture only where that can happen', () => {
    const [rest = Buffer.alloc(0), next = Buffer.alloc(0)] = numbered(2);
    const pipe = parser({ joins: true });
    pipe.parser.push(rest.subarray(70));
    pipe.parser.push(next);
    expect(pipe.found).toEqual([[1, 1]]);
    const socket = parser();
    expect(() => socket.parser.push(rest.subarray(1))).toThrow(expect.objectContaining({ code: 'SOURCE_MALFORMED' }));
  });

  it('is given up after 16 MiB without a header', () => {
    const { parser: reader } = parser({ joins: true });
    const garbage = Buffer.alloc(1024 * 1024);
    for (let mebibytes = 0; mebibytes < 16; mebibytes += 1) reader.push(garbage);
    expect(() => reader.push(garbage)).toThrow(expect.objectContaining({ code: 'SOURCE_MALFORMED' }));
  });

  it('knows whether it breaks off in a header or a picture', () => {
    const { parser: reader } = parser();
    const picture = pictureOf(1);
    reader.push(picture.subarray(0, 10));
    expect(reader.isInterrupted).toBe(true);
    reader.push(picture.subarray(10, 70));
    expect(reader.isInterrupted).toBe(true);
    reader.push(picture.subarray(70));
    expect(reader.isInterrupted).toBe(false);
  });

  it.each<[string, HeaderFields]>([
    ['version', { version: 2 }],
    ['pixel format', { format: 'YUY2' }],
    ['width', { width: 5 }],
    ['width', { width: 0 }],
    ['height', { height: 16_386 }],
    ['height', { height: 3 }],
    ['stride', { stride: 2 }],
    ['stride', { stride: 7 }],
    ['stride', { stride: 65_538 }],
    ['frame rate', { framerateMillihertz: 240_001 }],
    ['capture clock', { captureClock: 3 }],
    ['capture time', { captureClock: 1, captureTimeUs: 2n ** 53n }],
    ['frame number', { frameNumber: 2n ** 64n - 1n }],
    ['payload length', { payloadBytes: PICTURE_BYTES - 1 }],
    ['payload length', { payloadBytes: 0xffff_ffff }],
    ['payload length', { width: 16_384, height: 16_384, payloadBytes: 402_653_184 }],
  ])('refuses a header whose %s cannot be, and names it', (field, fields) => {
    const { parser: reader, headers } = parser();
    expect(() => reader.push(headerOf(fields))).toThrow(
      expect.objectContaining({ code: 'SOURCE_MALFORMED', context: expect.objectContaining({ field }) }),
    );
    expect(headers).toEqual([]);
  });

  it('has pictures of 64 MiB at the most', () => {
    expect(MAX_PAYLOAD_BYTES).toBe(67_108_864);
  });
});
