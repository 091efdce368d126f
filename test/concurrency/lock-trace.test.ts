import { describe, expect, it } from 'vitest';
import { EncoderLock, TracksLock } from '../../src/concurrency/lock-order.js';
import { LockTrace } from '../../src/concurrency/lock-trace.js';
import { ObserverGroup } from '../../src/concurrency/observer-group.js';
import type { LogFields } from '../../src/core/logger.js';
import { watchForLeakedLocks } from '../support/lock-leaks.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const THRESHOLD_MS = 250;
const HERE = String.raw`\S*lock-trace\.test\.ts:\d+`;

const makeChecker = watchForLeakedLocks();

/** Locks under a trace. The checker only keeps the books, so that deadlocks can happen. */
function makeLocks() {
  const clock = new VirtualClock();
  const reports: { readonly lines: readonly string[]; readonly fields: LogFields | undefined }[] = [];
  const books = makeChecker({ enforce: false });
  const logger = {
    warn: (message: string, fields?: LogFields) => void reports.push({ lines: message.split('\n'), fields }),
  };
  const trace = new LockTrace({ books, clock, logger, thresholdMs: THRESHOLD_MS });
  const checker = new ObserverGroup([books, trace]);
  const tracks = new TracksLock({ clock, checker });
  const front = new EncoderLock({ name: 'encoderMu(front)', tracks, clock, checker });
  return { clock, reports, tracks, front };
}

/** Something to wait for inside a section. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

function matching(...patterns: readonly string[]) {
  return patterns.map((pattern) => expect.stringMatching(new RegExp(`^${pattern}$`)));
}

describe('LockTrace', () => {
  it('draws who holds and who waits, since when, where and under what, once the threshold has passed', async () => {
    const { clock, reports, tracks, front } = makeLocks();
    const hang = gate();
    const cycle = front.shared(() => hang.opened);
    await settle();
    await clock.advance(100);
    const swap = tracks.exclusive((token) => front.exclusive(token, () => undefined));
    await settle();
    await clock.advance(50);
    const snapshot = tracks.shared(() => undefined);
    await clock.advance(THRESHOLD_MS - 50 - 1);
    expect(reports).toEqual([]);
    await clock.advance(1);
    expect(reports).toEqual([
      {
        lines: matching(
          String.raw`1 lock request\(s\) stuck for more than 250 ms`,
          String.raw`encoderMu\(front\)`,
          String.raw`  held \(read\) for 350\.0 ms at ${HERE}`,
          String.raw`  wanted \(write\) for 250\.0 ms at ${HERE}, holding tracksMu \(write\) of ${HERE}`,
          'tracksMu',
          String.raw`  held \(write\) for 250\.0 ms at ${HERE}`,
          String.raw`  wanted \(read\) for 200\.0 ms at ${HERE}`,
        ),
        fields: { stuck: 1, deadlocks: 0 },
      },
    ]);
    hang.open();
    await Promise.all([cycle, swap, snapshot]);
  });

  it('reports a stuck request once, however long it waits, and others at most once a second', async () => {
    const { clock, reports, tracks } = makeLocks();
    const hang = gate();
    const holder = tracks.exclusive(() => hang.opened);
    const first = tracks.exclusive(() => undefined);
    await clock.advance(THRESHOLD_MS);
    const others = Array.from({ length: 20 }, () => tracks.shared(() => undefined));
    await clock.advance(999);
    expect(reports).toHaveLength(1);
    await clock.advance(1);
    expect(reports).toHaveLength(2);
    expect(reports[1]?.fields).toMatchObject({ stuck: 20 });
    expect(reports[1]?.lines).toContain('  and 13 more');
    await clock.advance(60_000);
    expect(reports).toHaveLength(2);
    hang.open();
    await Promise.all([holder, first, ...others]);
  });

  it('says nothing of requests that got the lock or gave up in time, and leaves no timer', async () => {
    const { clock, reports, tracks } = makeLocks();
    const hang = gate();
    const holder = tracks.exclusive(() => hang.opened);
    const served = tracks.shared(() => undefined);
    const expired = expect(tracks.shared(() => undefined, { timeoutMs: 100 })).rejects.toThrow();
    await clock.advance(THRESHOLD_MS - 1);
    hang.open();
    await Promise.all([holder, served, expired]);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(10 * THRESHOLD_MS);
    expect(reports).toEqual([]);
  });

  it('still reports in time a request that came while an earlier one waited and left', async () => {
    const { clock, reports, tracks } = makeLocks();
    const hang = gate();
    const holder = tracks.exclusive(() => hang.opened);
    const early = expect(tracks.shared(() => undefined, { timeoutMs: 200 })).rejects.toThrow();
    await clock.advance(150);
    const late = tracks.shared(() => undefined);
    await clock.advance(THRESHOLD_MS - 1);
    expect(reports).toEqual([]);
    await clock.advance(1);
    expect(reports).toHaveLength(1);
    hang.open();
    await Promise.all([holder, early, late]);
  });

  it('names a deadlock of two flows with the sites of both', async () => {
    const { clock, reports, tracks, front } = makeLocks();
    const abort = new AbortController();
    const swapBegun = gate();
    const cycle = front.shared(async () => {
      await swapBegun.opened;
      await tracks.exclusive(() => undefined, { signal: abort.signal });
    });
    const outcome = expect(cycle).rejects.toMatchObject({ code: 'LOCK_ABORTED' });
    const swap = tracks.exclusive((token) => {
      swapBegun.open();
      return front.exclusive(token, () => undefined);
    });
    await settle();
    await clock.advance(THRESHOLD_MS);
    expect(reports).toHaveLength(1);
    const step = (lock: string) => String.raw`${lock} \(write\) at ${HERE}`;
    const [swapStep, cycleStep] = [step(String.raw`encoderMu\(front\)`), step('tracksMu')];
    expect(reports[0]?.lines.at(-1)).toMatch(
      new RegExp(`^deadlock, each waits for the next: ${swapStep} -> ${cycleStep} -> ${swapStep}$`),
    );
    expect(reports[0]?.fields).toEqual({ stuck: 2, deadlocks: 1 });
    abort.abort();
    await Promise.all([outcome, swap]);
  });
});
