import { availableParallelism } from 'node:os';

/** libuv's own default. */
const DEFAULT_THREADS = 4;

/** Beside the encoders: files and DNS share the pool. */
const SPARE_THREADS = 2;

/**
 * Sizes libuv's thread pool, on which encoding runs, for `encoders` at a time: one thread each, but no more than there are cores, plus
 * two. It sets `UV_THREADPOOL_SIZE` of this process unless the user did, and returns the value in force.
 *
 * libuv reads the variable once, at the first use of the pool, so this must come before it. Measured on Node 20.20, 22.23 and 24.21:
 *
 * | started as | Node 20 | Node 22, 24 |
 * |---|---|---|
 * | CommonJS file that calls this, then `import()`s the program | works | works |
 * | ES module that calls this at its top | too late: loading it used the pool | works |
 * | through tsx | too late | too late |
 *
 * Where it is too late, set the variable in the environment of the process.
 */
export function sizeThreadPool(encoders: number): string {
  const wanted = Math.max(DEFAULT_THREADS, Math.min(encoders, availableParallelism()) + SPARE_THREADS);
  process.env['UV_THREADPOOL_SIZE'] ??= String(wanted);
  return process.env['UV_THREADPOOL_SIZE'];
}
