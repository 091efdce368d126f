import { LockChecker } from '../concurrency/lock-checker.js';
import type { LockObserver } from '../concurrency/lock-observer.js';
import { LockTrace } from '../concurrency/lock-trace.js';
import { ObserverGroup } from '../concurrency/observer-group.js';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { NodeAsyncContext } from './async-context.js';

const DEFAULT_THRESHOLD_MS = 250;
const MAX_THRESHOLD_MS = 3_600_000;

/** What decides how the locks of a sender are watched. */
export interface LockWatchInit {
  /** Whether forbidden uses of locks are refused. @default on unless NODE_ENV is "production" */
  readonly checkLocks: boolean | undefined;
  /** `NODE_ENV`, and `FRAMELOCK_LOCK_TRACE`: `1`, or a threshold in milliseconds; off if it is not set, empty or `0`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where the trace goes. @default Node's warnings, on standard error */
  readonly logger: Pick<Logger, 'warn'> | undefined;
}

/** What watches the locks of a sender. */
export interface LockWatch {
  readonly checker: LockChecker | undefined;
  /** To be told of every request: the checker and, if it is on, the trace. */
  readonly observer: LockObserver | undefined;
}

/** Puts together what watches the locks. A trace needs the books of a checker, which refuses nothing if checking is off. */
export function watchLocks({ checkLocks, environment, clock, logger }: LockWatchInit): LockWatch {
  const enforce = checkLocks ?? environment['NODE_ENV'] !== 'production';
  const thresholdMs = traceThresholdMs(environment['FRAMELOCK_LOCK_TRACE']);
  if (!enforce && thresholdMs === undefined) return { checker: undefined, observer: undefined };
  const checker = new LockChecker(new NodeAsyncContext(), { enforce });
  if (thresholdMs === undefined) return { checker, observer: checker };
  const trace = new LockTrace({ books: checker, clock, logger: logger ?? nodeWarnings, thresholdMs });
  return { checker, observer: new ObserverGroup([checker, trace]) };
}

const nodeWarnings: Pick<Logger, 'warn'> = {
  warn: (message) => process.emitWarning(message, { code: 'FRAMELOCK_LOCK_TRACE' }),
};

function traceThresholdMs(setting = ''): number | undefined {
  if (setting === '' || setting === '0') return undefined;
  const thresholdMs = Number(setting);
  return thresholdMs > 1 ? Math.min(thresholdMs, MAX_THRESHOLD_MS) : DEFAULT_THRESHOLD_MS;
}
