import { type HeldLock, nameOf, type WaitingLock } from './lock-checker.js';

/** More holders, waiters or deadlocks than this are counted, not listed. */
const MAX_LISTED = 8;

/** Who holds and who waits, at one moment; `LockChecker` keeps these books. */
export interface LockBooks {
  /** In order of acquisition. */
  held(): readonly HeldLock[];
  /** In order of arrival. */
  waiting(): readonly WaitingLock[];
}

/** Requests each of which waits for the next, and the last for the first. */
export type Deadlock = readonly WaitingLock[];

/**
 * Which flow of code waits for which other, drawn from the books at the moment of its making.
 *
 * A request waits for the holders of its lock that it cannot share with, and for the writers that asked for the lock before it. A holder
 * waits for the requests made inside its section. Only an abort or a timeout can end a circle of these.
 */
export class WaitForGraph {
  /** At least one for every knot of requests that wait for one another. */
  readonly deadlocks: readonly Deadlock[];
  readonly #held: readonly HeldLock[];
  readonly #waiting: readonly WaitingLock[];

  constructor(books: LockBooks) {
    this.#held = books.held();
    this.#waiting = books.waiting();
    this.deadlocks = this.#findDeadlocks();
  }

  /** The graph as lines of text: each lock that is waited for with its holders and its queue, then the deadlocks. */
  describe(nowUs: number): readonly string[] {
    const locks = new Set(this.#waiting.map(({ lock }) => lock));
    const nodes = Array.from(locks).flatMap((lock) => [
      lock.name,
      ...listed(this.#held.filter((held) => held.lock === lock).map((held) => `  held ${sideSince(held, nowUs)}`)),
      ...listed(
        this.#waiting
          .filter((request) => request.lock === lock)
          .map((request) => `  wanted ${sideSince(request, nowUs)}${holdingOf(request)}`),
      ),
    ]);
    return [...nodes, ...listed(this.deadlocks.map(describeDeadlock))];
  }

  /** Depth first: a request that is met again on its own path closes a circle. */
  #findDeadlocks(): readonly Deadlock[] {
    const found: Deadlock[] = [];
    const followed = new Set<WaitingLock>();
    const follow = (request: WaitingLock, path: readonly WaitingLock[]): void => {
      const start = path.indexOf(request);
      if (start >= 0) found.push(path.slice(start));
      if (start >= 0 || followed.has(request)) return;
      for (const next of this.#waitsFor(request)) follow(next, [...path, request]);
      followed.add(request);
    };
    for (const request of this.#waiting) follow(request, []);
    return found;
  }

  #waitsFor(request: WaitingLock): readonly WaitingLock[] {
    const excludes = ({ lock, side }: HeldLock | WaitingLock) =>
      lock === request.lock && (side === 'write' || request.side === 'write');
    const holders = new Set(this.#held.filter(excludes));
    const position = this.#waiting.indexOf(request);
    return this.#waiting.filter(
      (other, index) =>
        other.holding.some((held) => holders.has(held)) ||
        (index < position && other.side === 'write' && other.lock === request.lock),
    );
  }
}

function sideSince({ side, sinceUs, site }: HeldLock | WaitingLock, nowUs: number): string {
  return `(${side}) for ${((nowUs - sinceUs) / 1000).toFixed(1)} ms at ${site}`;
}

function holdingOf({ holding }: WaitingLock): string {
  return holding.length === 0
    ? ''
    : `, holding ${holding.map((held) => `${nameOf(held)} of ${held.site}`).join(' and ')}`;
}

function describeDeadlock(deadlock: Deadlock): string {
  const steps = [...deadlock, ...deadlock.slice(0, 1)].map((request) => `${nameOf(request)} at ${request.site}`);
  return `deadlock, each waits for the next: ${steps.join(' -> ')}`;
}

function listed(lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LISTED) return lines;
  return [...lines.slice(0, MAX_LISTED), `  and ${lines.length - MAX_LISTED} more`];
}
