import type { Clock } from '../core/clock.js';

/** What came of a bounded wait. */
export type DeadlineOutcome<T> = { readonly ended: true; readonly value: T } | { readonly ended: false };

/**
 * Waits for `promise`, but no longer than `timeoutMs`. A rejection in time rejects. After the deadline the promise is abandoned, not
 * stopped; should it still fail, the error goes to `onLateFailure`, which must not throw, and is never an unhandled rejection.
 *
 * @param lifted lifts the deadline when it is aborted: no timer is left, and the wait goes on for as long as the promise takes
 */
export function withDeadline<T>(
  promise: Promise<T>,
  timeoutMs: number,
  clock: Clock,
  onLateFailure: (error: unknown) => void,
  lifted?: AbortSignal,
): Promise<DeadlineOutcome<T>> {
  return new Promise((resolve, reject) => {
    let expired = false;
    const timer = clock.setTimer(timeoutMs, () => {
      expired = true;
      settled();
      resolve({ ended: false });
    });
    const cancel = (): void => timer.cancel();
    const settled = (): void => {
      lifted?.removeEventListener('abort', cancel);
      cancel();
    };
    lifted?.addEventListener('abort', cancel, { once: true });
    promise.then(
      (value) => {
        settled();
        resolve({ ended: true, value });
      },
      (error: unknown) => {
        settled();
        if (expired) onLateFailure(error);
        else reject(error);
      },
    );
  });
}
