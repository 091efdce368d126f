/**
 * The promise of docs/guarantees.md that a guard belongs to; `wire` stands for what is sent to the network and admitted from it, `allocation` for how bitrates are divided,
 * `congestion` for how much is sent, `send path` for what waits to be sent,
 * `recovery` for how a loss is noticed and mended.
 */
export type Guarantee =
  | 'L1 lock'
  | 'L2 drain'
  | 'L3 lifetimes'
  | 'L4 events'
  | 'L5 handles'
  | 'wire'
  | 'allocation'
  | 'congestion'
  | 'send path'
  | 'recovery';

/** One guard, taken away: a replacement in one file, and the unit tests that must notice. */
export interface Mutant {
  /** What is missing or wrong, in kebab case; unique. */
  readonly name: string;
  readonly guarantee: Guarantee;
  /** Relative to the project. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Unit test files, relative to `test`, without `.test.ts`. At least one of their tests must fail. */
  readonly tests: readonly string[];
}
