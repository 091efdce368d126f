import type { TestContext } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** What the test measured and does not judge; `.ci/run` prints it as a table. */
    figures?: Readonly<Record<string, string>>;
  }
}

/** Reports what a test measured, beside its verdict: in the log, and in the JSON report. */
export function report({ task }: TestContext, figures: Readonly<Record<string, string>>): void {
  task.meta.figures = figures;
  const text = Object.entries(figures).map(([what, figure]) => `${what} ${figure}`);
  console.info(`${task.fullTestName}: ${text.join(', ')}`);
}

/** A duration as it is reported. */
export function inMs(durationMs: number): string {
  return `${Math.round(durationMs)} ms`;
}
