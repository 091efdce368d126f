import { describe, expect, it } from 'vitest';
import { SceneChangeDetector } from '../../src/encoder/scene-change-detector.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';

const SIZE = { width: 320, height: 240 };

function street(cameraId: number): (index: number) => RawVideoFrame {
  const renderer = TestPatternRenderer.create({ ...SIZE, framerate: 30, label: 'CUT', cameraId });
  return (index) => {
    const data = new Uint8Array(renderer.sizeBytes);
    renderer.render(data, index, 1_700_000_000_000_000 + index * 33_333);
    return { format: 'I420', codedWidth: SIZE.width, codedHeight: SIZE.height, data, timestamp: index * 33_333 };
  };
}

function withNoise(frame: RawVideoFrame): RawVideoFrame {
  let state = frame.timestamp + 1;
  const data = frame.data.map((level) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.min(Math.max(level + (state >> 28), 0), 255);
  });
  return { ...frame, data };
}

function negative(frame: RawVideoFrame): RawVideoFrame {
  return { ...frame, data: frame.data.map((level) => 255 - level) };
}

function brighter(frame: RawVideoFrame, steps: number): RawVideoFrame {
  return { ...frame, data: frame.data.map((level) => Math.min(level + steps, 255)) };
}

describe('SceneChangeDetector', () => {
  it('sees a cut while the scene moves, once, and nothing else', () => {
    const detector = new SceneChangeDetector();
    const scene = street(2);
    const seen = Array.from({ length: 60 }, (_, index) =>
      detector.observe(index < 30 ? scene(index) : negative(scene(index))),
    );
    expect(seen.flatMap((isOther, index) => (isOther ? [index] : []))).toEqual([30]);
  });

  it('takes neither motion nor noise nor a slow change of light for another scene', () => {
    const detector = new SceneChangeDetector();
    const scene = street(3);
    for (let index = 0; index < 60; index += 1) {
      expect(detector.observe(brighter(withNoise(scene(index)), index)), `picture ${index}`).toBe(false);
    }
  });

  it('sees a light go on in a still scene, once', () => {
    const detector = new SceneChangeDetector();
    const still = street(1)(0);
    const seen = Array.from({ length: 20 }, (_, index) => detector.observe(index < 10 ? still : brighter(still, 40)));
    expect(seen.indexOf(true)).toBe(10);
    expect(seen.lastIndexOf(true)).toBe(10);
  });

  it('reads the luma of padded pictures where their layout says it is', () => {
    const detector = new SceneChangeDetector();
    const padded = (rubbish: number): RawVideoFrame => {
      const data = new Uint8Array(100 + 96 * 64).fill(rubbish);
      for (let y = 0; y < 64; y += 1) data.fill(90, 100 + y * 96, 100 + y * 96 + 64);
      const layout = [{ offset: 100, stride: 96 }];
      return { format: 'I420', codedWidth: 64, codedHeight: 64, data, layout, timestamp: 0 };
    };
    expect([padded(0), padded(255), padded(10)].map((frame) => detector.observe(frame))).toEqual([false, false, false]);
  });
});
