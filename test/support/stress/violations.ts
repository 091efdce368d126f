/** What may turn out not to hold. */
export const VIOLATION_KINDS = [
  /** A call failed in a way that it must not. */
  'call',
  /** Frames given are not frames reported, or a frame was not released exactly once. */
  'frames',
  /** Pictures went back, came twice, or came by another camera's track. */
  'order',
  /** A camera's pictures did not arrive. */
  'flow',
  /** Something happened after `close` had resolved, or `close` itself went wrong. */
  'close',
  /** An error event, an unhandled rejection, an uncaught exception, the death of the peer. */
  'fault',
  /** A figure is out of its bounds. */
  'figure',
] as const;

/** One of {@link VIOLATION_KINDS}. */
export type ViolationKind = (typeof VIOLATION_KINDS)[number];

/** Most texts that are kept; the rest is counted. */
const KEPT = 30;

/** Everything that went wrong. */
export class Violations {
  readonly counts = Object.fromEntries(VIOLATION_KINDS.map((kind) => [kind, 0])) as Record<ViolationKind, number>;
  readonly texts: string[] = [];

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  add(kind: ViolationKind, text: string): void {
    this.counts[kind] += 1;
    if (this.texts.length < KEPT) this.texts.push(`${kind}: ${text}`);
  }
}
