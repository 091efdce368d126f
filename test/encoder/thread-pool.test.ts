import { availableParallelism } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sizeThreadPool } from '../../src/encoder/node-av/thread-pool.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('sizeThreadPool', () => {
  it('keeps a size that the user set', () => {
    vi.stubEnv('UV_THREADPOOL_SIZE', '3');
    expect(sizeThreadPool(14)).toBe('3');
    expect(process.env['UV_THREADPOOL_SIZE']).toBe('3');
  });

  it('sets libuv’s own default or more, and no more threads than encoders or cores can use', () => {
    vi.stubEnv('UV_THREADPOOL_SIZE', undefined);
    expect(sizeThreadPool(1)).toBe('4');
    vi.stubEnv('UV_THREADPOOL_SIZE', undefined);
    expect(sizeThreadPool(1000)).toBe(String(Math.max(4, availableParallelism() + 2)));
  });
});
