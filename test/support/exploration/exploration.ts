import fc from 'fast-check';
import { Interpreter } from './interpreter.js';
import { violationsOf } from './invariants.js';
import { type Schedule, schedule } from './schedule.js';

/** What one schedule led to. */
export interface Outcome {
  readonly violations: readonly string[];
  /** Of everything that happened; see `Trace`. */
  readonly digest: string;
}

/** Runs one schedule to its end. Rejections that nobody handles count as violations. */
export async function runSchedule(schedule: Schedule): Promise<Outcome> {
  const unhandled: string[] = [];
  const note = (error: unknown): void => void unhandled.push(`unhandled rejection: ${String(error)}`);
  process.on('unhandledRejection', note);
  try {
    const interpreter = new Interpreter(schedule);
    await interpreter.run();
    return { violations: [...violationsOf(interpreter), ...unhandled], digest: interpreter.trace.digest() };
  } finally {
    process.off('unhandledRejection', note);
  }
}

/** Holds if no schedule violates anything. `ran` is told of every run. */
export function noViolation(ran: (outcome: Outcome) => void = () => undefined): fc.IAsyncProperty<[Schedule]> {
  return fc.asyncProperty(schedule, async (one) => {
    const outcome = await runSchedule(one);
    ran(outcome);
    if (outcome.violations.length > 0) throw new Error(outcome.violations.join('\n'));
  });
}
