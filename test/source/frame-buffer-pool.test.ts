import { describe, expect, it } from 'vitest';
import { FrameBufferPool } from '../../src/source/frame-buffer-pool.js';

describe('frame buffer pool', () => {
  it('lends at most its capacity, and lends a returned buffer again', () => {
    const pool = new FrameBufferPool(2, 10);
    const [first, second] = [pool.acquire(), pool.acquire()];
    expect(first?.data).toHaveLength(10);
    expect(pool.acquire()).toBeUndefined();
    expect(pool.onLoan).toBe(2);
    second?.release();
    expect(pool.onLoan).toBe(1);
    expect(pool.acquire()?.data).toBe(second?.data);
  });

  it('refuses to take a buffer back twice, which would lend it to two at once', () => {
    const buffer = new FrameBufferPool(2, 10).acquire();
    buffer?.release();
    expect(() => buffer?.release()).toThrow(expect.objectContaining({ code: 'INVALID_FRAME' }));
  });
});
