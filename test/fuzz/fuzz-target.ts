import type { FuzzRandom } from './fuzz-random.js';

/** Takes note of an input before it is tried, so that it can be shown if it is the last one. */
export type Note = (input: Uint8Array) => void;

/** Something that is fed with hostile input. */
export interface FuzzTarget {
  /** Whether a run depends on the runs before it: then it is replayed together with them. */
  readonly stateful: boolean;
  /**
   * One run. Everything that it does follows from `random`.
   * @returns what came of it, in a word or two: the table counts them
   * @throws whatever must not happen
   */
  run(random: FuzzRandom, note: Note): Promise<string> | string;
  /**
   * Ends it; called once. @returns further facts for the table
   * @throws whatever must not be at the end
   */
  close(): Promise<Readonly<Record<string, string | number>>>;
}

/** Fails a run. */
export function demand(condition: boolean, what: () => string): void {
  if (!condition) throw new Error(what());
}

/** Fails if there is a number in `value`, however deep, that is none. */
export function demandNumbers(value: unknown, path = ''): void {
  if (typeof value === 'number') demand(!Number.isNaN(value), () => `${path} is NaN`);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const [key, each] of Object.entries(value)) demandNumbers(each, `${path}.${key}`);
}
