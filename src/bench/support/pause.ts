import { FramelockError } from '../../core/errors.js';
import type { BenchmarkContext } from '../benchmark.js';

/** @throws FramelockError CLOSED if somebody wants the benchmark to end */
export function assertGoesOn(signal: AbortSignal): void {
  if (signal.aborted) throw new FramelockError('CLOSED', 'the benchmark was interrupted');
}

/** Waits in real time, telling the progress once a second. @throws FramelockError CLOSED if somebody wants the benchmark to end meanwhile, at once */
export async function pause(
  seconds: number,
  label: string,
  { progress, signal }: Pick<BenchmarkContext, 'progress' | 'signal'>,
): Promise<void> {
  for (let elapsed = 0; elapsed < seconds; elapsed += 1) {
    progress(`${label} ${elapsed}/${seconds} s`);
    await sleep(Math.min(1, seconds - elapsed) * 1000, signal);
    assertGoesOn(signal);
  }
}

/** Resolves after that time, or when somebody wants the benchmark to end. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
    if (signal.aborted) over();
  });
}
