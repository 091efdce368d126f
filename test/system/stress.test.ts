import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { StressResult } from '../support/stress/stress-result.js';

const SECONDS = 60;
const SWAPS = 500;
const CYCLES = 50;
/** As the program itself takes them on two cores. */
const THREADS = '4';
/** Where each thread may have a heap of its own, glibc takes minutes to settle, which looks like a leak (mallopt(3), M_ARENA_MAX). */
const ARENAS = '2';
/** The command waits for 15 s at the most for its own process to end, and says what holds it. */
const TIMEOUT_MS = 170_000;

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function stress(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    // Node itself and not a wrapper, so that the timeout ends the program.
    const child = execFile(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', 'scripts/stress.ts', ...args],
      {
        env: { ...process.env, UV_THREADPOOL_SIZE: THREADS, MALLOC_ARENA_MAX: ARENAS },
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
      },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? child.signalCode, stdout, stderr }),
    );
  });
}

describe('a sender under stress', () => {
  it('keeps every promise through swaps, removals and reconnects, is closed by a handler, and its process ends by itself', async () => {
    const args = ['--seconds', `${SECONDS}`, '--swaps', `${SWAPS}`, '--cycles', `${CYCLES}`, '--json'];
    const { code, stdout, stderr } = await stress(...args);
    const line = stdout.trim().split('\n').at(-1) ?? '';
    expect(line, stderr).toMatch(/^\{/);
    const result = JSON.parse(line) as StressResult;
    console.info(
      `seed ${result.seed}: ${result.swaps} swaps, ${result.cycles} cycles, memory ${result.rss?.growthPct} %`,
    );

    expect(result.violationTexts).toEqual([]);
    expect(Object.values(result.violations).every((count) => count === 0)).toBe(true);
    expect(result.violations.order).toBe(0);
    expect(result.eventsAfterClose).toBe(0);
    expect(result.close?.clean).toBe(true);
    expect(result.swaps).toBeGreaterThanOrEqual(SWAPS);
    expect(result.cycles).toBeGreaterThanOrEqual(CYCLES);
    expect(result.callsInHandlers).toBeGreaterThan(0);
    expect(result.reconnects).toBeGreaterThan(0);
    expect(result.frames.released).toBe(result.frames.given);
    // Six VP8 cameras at 12 fps, of which the allocation puts some to sleep.
    expect(result.decoded).toBeGreaterThan(20 * SECONDS);
    expect(result.unreadable).toBe(0);
    expect(result.rss?.growthPct).toBeLessThan(5);
    expect(code).toBe(0);
  }, 180_000);
});
