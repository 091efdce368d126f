import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';

/** What ends a wait early. */
export interface WaitBounds {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The error of a wait that took too long. */
  readonly timedOut: () => FramelockError;
  /** Aborting one of these rejects with CLOSED; the reason is its cause. */
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** Settles as `work` does, unless time runs out or a signal is aborted first. Leaves no timer and no listener behind. */
export async function boundedWait<T>(work: Promise<T>, bounds: WaitBounds): Promise<T> {
  const signals = bounds.signals.filter((signal) => signal !== undefined);
  const ended = new AbortController();
  const interrupted = new Promise<never>((_resolve, reject) => {
    const abort = (signal: AbortSignal): void =>
      reject(new FramelockError('CLOSED', 'The transport was closed or the call aborted', { cause: signal.reason }));
    for (const signal of signals) {
      if (signal.aborted) abort(signal);
      signal.addEventListener('abort', () => abort(signal), { once: true, signal: ended.signal });
    }
    const timer = bounds.clock.setTimer(bounds.timeoutMs, () => reject(bounds.timedOut()));
    ended.signal.addEventListener('abort', () => timer.cancel(), { once: true });
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    ended.abort();
  }
}
