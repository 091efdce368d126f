import { describe, expect, it } from 'vitest';
import { encoderThreads } from '../../src/encoder/encoder-threads.js';

const HD = { width: 1280, height: 720 };

describe('encoderThreads', () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 4],
    [64, 4],
  ])('leaves VP9 a core of %i for everything else: %i threads at 1280x720', (cores, threads) => {
    expect(encoderThreads({ codec: 'vp9', ...HD }, cores)).toBe(threads);
  });

  it('gives VP9 fewer threads for smaller pictures, and one up to 640x480', () => {
    const threadsAt = (width: number, height: number) => encoderThreads({ codec: 'vp9', width, height }, 8);
    expect([threadsAt(960, 540), threadsAt(642, 480), threadsAt(640, 480), threadsAt(320, 240)]).toEqual([2, 2, 1, 1]);
  });

  it.each(['vp8', 'h264', 'av1'] as const)('gives %s one thread, whatever there is', (codec) => {
    expect(encoderThreads({ codec, width: 3840, height: 2160 }, 64)).toBe(1);
  });

  it.each([0, -3])('gives one thread where %i cores are left', (cores) => {
    expect(encoderThreads({ codec: 'vp9', ...HD }, cores)).toBe(1);
  });
});
