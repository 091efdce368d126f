import { describe, expect, it } from 'vitest';
import type { HeldLock, WaitingLock } from '../../src/concurrency/lock-checker.js';
import type { LockSide, ObservedLock } from '../../src/concurrency/lock-observer.js';
import { WaitForGraph } from '../../src/concurrency/wait-for-graph.js';

const NOW_US = 5_000;
const tracks: ObservedLock = { name: 'tracksMu', level: 0 };
const front: ObservedLock = { name: 'encoderMu(front)', level: 1 };
const rear: ObservedLock = { name: 'encoderMu(rear)', level: 1 };

const held = (lock: ObservedLock, side: LockSide, site = 'h.ts:1'): HeldLock => ({ lock, side, site, sinceUs: 1_000 });
const wanted = (
  lock: ObservedLock,
  side: LockSide,
  holding: readonly HeldLock[] = [],
  site = 'w.ts:2',
): WaitingLock => ({
  lock,
  side,
  site,
  sinceUs: 2_000,
  holding,
});

function graphOf(holders: readonly HeldLock[], waiters: readonly WaitingLock[]): WaitForGraph {
  return new WaitForGraph({ held: () => holders, waiting: () => waiters });
}

describe('WaitForGraph finds a deadlock', () => {
  it('of a request under its own lock', () => {
    const own = held(front, 'write');
    const request = wanted(front, 'read', [own]);
    expect(graphOf([own], [request]).deadlocks).toEqual([[request]]);
  });

  it('of a reader that asks again behind a waiting writer', () => {
    const reader = held(front, 'read');
    const writer = wanted(front, 'write');
    const again = wanted(front, 'read', [reader]);
    expect(graphOf([reader], [writer, again]).deadlocks).toEqual([[writer, again]]);
  });

  it('of three flows, through the locks of outer sections too', () => {
    const [a, b, c, inner] = [held(tracks, 'write'), held(front, 'read'), held(rear, 'read'), held(front, 'read')];
    const [wantsFront, wantsRear, wantsTracks] = [
      wanted(front, 'write', [a]),
      wanted(rear, 'write', [b]),
      wanted(tracks, 'read', [inner, c]),
    ];
    const { deadlocks } = graphOf([a, b, c, inner], [wantsFront, wantsRear, wantsTracks]);
    expect(deadlocks).toContainEqual([wantsFront, wantsRear, wantsTracks]);
  });

  it('without the requests that only wait for it', () => {
    const own = held(front, 'write');
    const request = wanted(front, 'write', [own]);
    const { deadlocks } = graphOf([own], [wanted(front, 'read'), request, wanted(front, 'write')]);
    expect(deadlocks).toEqual([[request]]);
  });
});

describe('WaitForGraph finds none', () => {
  it('in a queue behind a holder that waits for nothing', () => {
    const cycle = held(front, 'read');
    const swap = held(tracks, 'write');
    const waiters = [wanted(front, 'write', [swap]), wanted(tracks, 'read'), wanted(tracks, 'write')];
    expect(graphOf([cycle, swap], waiters).deadlocks).toEqual([]);
  });

  it('between readers, which share', () => {
    const [one, other] = [held(front, 'read'), held(front, 'read')];
    expect(graphOf([one, other], [wanted(front, 'read', [one])]).deadlocks).toEqual([]);
  });

  it('when a section that made a request has ended since, or holds another lock of the same name', () => {
    const ended = held(front, 'read');
    const other = held({ ...front }, 'write');
    expect(graphOf([other], [wanted(front, 'write', [ended]), wanted(front, 'write', [other])]).deadlocks).toEqual([]);
  });

  it('with a writer that came after the reader', () => {
    const reader = held(front, 'read');
    expect(graphOf([reader], [wanted(front, 'read', [reader]), wanted(front, 'write')]).deadlocks).toEqual([]);
  });
});

describe('WaitForGraph.describe', () => {
  it('lists every lock that is waited for with its holders and queue, then deadlocks, and no other lock', () => {
    const own = held(front, 'write', 'a.ts:1');
    const lines = graphOf([own, held(rear, 'read')], [wanted(front, 'read', [own], 'b.ts:2')]).describe(NOW_US);
    expect(lines).toEqual([
      'encoderMu(front)',
      '  held (write) for 4.0 ms at a.ts:1',
      '  wanted (read) for 3.0 ms at b.ts:2, holding encoderMu(front) (write) of a.ts:1',
      'deadlock, each waits for the next: encoderMu(front) (read) at b.ts:2 -> encoderMu(front) (read) at b.ts:2',
    ]);
  });

  it('counts what is too much to list', () => {
    const holders = Array.from({ length: 64 }, () => held(front, 'read'));
    const lines = graphOf(holders, [wanted(front, 'write')]).describe(NOW_US);
    expect(lines).toHaveLength(1 + 8 + 1 + 1);
    expect(lines).toContain('  and 56 more');
  });
});
