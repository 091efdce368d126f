import { describe, expect, it } from 'vitest';
import { readBarCode } from '../../src/source/bar-code.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';
import { type CodingConfig, roundTrip } from '../support/video-coding.js';
import { halve } from './halve.js';

const CAPTURE_START_US = 1_700_000_000_000_000;
const FRAMES = 45;

function* pictures(width: number, height: number): Generator<Uint8Array> {
  const renderer = TestPatternRenderer.create({ width, height, framerate: 30, label: 'front', cameraId: 5 });
  for (let number = 0; number < FRAMES; number += 1) {
    const picture = new Uint8Array(renderer.sizeBytes);
    renderer.render(picture, number, CAPTURE_START_US + number * 33_333);
    yield picture;
  }
}

const VP8 = { encoder: 'libvpx', framerate: 30, options: { deadline: 'realtime', 'cpu-used': '8' } } as const;
const H264 = {
  encoder: 'libx264',
  framerate: 30,
  options: { preset: 'superfast', tune: 'zerolatency', profile: 'baseline' },
} as const;

const CASES: readonly (readonly [string, CodingConfig])[] = [
  ['VP8 640x480 at 300 kbit/s', { ...VP8, width: 640, height: 480, bitrateBps: 300_000 }],
  ['VP8 640x480 at its worst quantizer', { ...VP8, width: 640, height: 480, bitrateBps: 50_000, qMin: 63, qMax: 63 }],
  ['VP8 320x240 at its worst quantizer', { ...VP8, width: 320, height: 240, bitrateBps: 50_000, qMin: 63, qMax: 63 }],
  ['H.264 640x480 at 300 kbit/s', { ...H264, width: 640, height: 480, bitrateBps: 300_000 }],
  [
    'H.264 640x480 at its worst quantizer',
    { ...H264, width: 640, height: 480, bitrateBps: 50_000, qMin: 51, qMax: 51 },
  ],
];

describe('bar code in coded video', () => {
  it.each(CASES)('is read from every picture, at full and half size: %s', async (_, config) => {
    const decoded = await roundTrip(config, pictures(config.width, config.height));
    const codes = decoded.map(({ luma }) => readBarCode(luma, config.width, config.height));
    const halfCodes = decoded.map(({ luma }) =>
      readBarCode(halve(luma, config.width, config.height), config.width / 2, config.height / 2),
    );
    const drawn = Array.from({ length: FRAMES }, (_unused, number) => ({
      cameraId: 5,
      frameNumber: number,
      captureTimeUs: CAPTURE_START_US + number * 33_333,
    }));
    expect(codes).toEqual(drawn);
    expect(halfCodes).toEqual(drawn);
  });
});
