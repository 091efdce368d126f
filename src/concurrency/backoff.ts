import type { Clock } from '../core/clock.js';
import type { Random } from '../core/random.js';
import { pause } from './pause.js';

/** What a pause between two attempts needs. */
export interface BackoffInit {
  /** Longest pause before the second attempt, in milliseconds; it doubles with every further one. */
  readonly firstMs: number;
  /** What it grows to. */
  readonly longestMs: number;
  /** No pause is shorter: the server has asked for patience. @default 0 */
  readonly leastMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Cuts a pause short. */
  readonly signal: AbortSignal;
}

/**
 * Waits between two attempts: exponential backoff with full jitter, so that a fleet that lost its SFU together does not come back in step
 * (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Resolves early when the signal is aborted.
 *
 * @param attempt how many have failed since the last success, from 0
 */
export function backoffPause(
  attempt: number,
  { firstMs, longestMs, leastMs = 0, clock, random, signal }: BackoffInit,
): Promise<void> {
  const limitMs = Math.min(longestMs, firstMs * 2 ** attempt);
  const delayMs = Math.max((random.uint32() / 2 ** 32) * limitMs, leastMs);
  return pause(clock, delayMs, signal);
}
