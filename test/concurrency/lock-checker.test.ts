import { describe, expect, it } from 'vitest';
import type { LockCheckerOptions } from '../../src/concurrency/lock-checker.js';
import { EncoderLock, TracksLock } from '../../src/concurrency/lock-order.js';
import { RwLock } from '../../src/concurrency/rw-lock.js';
import { watchForLeakedLocks } from '../support/lock-leaks.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const makeChecker = watchForLeakedLocks();

function makeLocks(options?: LockCheckerOptions) {
  const clock = new VirtualClock();
  const checker = makeChecker(options);
  const tracks = new TracksLock({ clock, checker });
  const encoderLock = (id: string) => new EncoderLock({ name: `encoderMu(${id})`, tracks, clock, checker });
  return { clock, checker, tracks, front: encoderLock('front'), rear: encoderLock('rear') };
}

const HERE = String.raw`\S*lock-checker\.test\.ts:\d+`;

describe('LockChecker refuses', () => {
  it('tracksMu requested while holding encoderMu, naming both sites', async () => {
    const { checker, tracks, front } = makeLocks();
    const inverted = front.shared(() => tracks.shared(() => undefined));
    await expect(inverted).rejects.toMatchObject({
      code: 'LOCK_ORDER',
      message: expect.stringMatching(
        new RegExp(
          String.raw`^Lock order inverted: tracksMu \(read\) requested at ${HERE} while holding encoderMu\(front\) \(read\) acquired at ${HERE}$`,
        ),
      ),
      context: { requested: 'tracksMu', held: 'encoderMu(front)' },
    });
    expect(checker.violations).toBe(1);
  });

  it('an inversion from within an exclusive section', async () => {
    const { tracks, front } = makeLocks();
    await tracks.exclusive((token) =>
      front.exclusive(token, async () => {
        await expect(tracks.shared(() => undefined)).rejects.toMatchObject({ code: 'LOCK_ORDER' });
      }),
    );
  });

  it('one encoderMu under another', async () => {
    const { tracks, front, rear } = makeLocks();
    const nested = tracks.exclusive((token) => front.exclusive(token, () => rear.exclusive(token, () => undefined)));
    await expect(nested).rejects.toThrow(/inverted: encoderMu\(rear\).*holding encoderMu\(front\)/);
  });

  it.each(['read', 'write'] as const)('re-entry to the %s side, which would wait for itself', async (side) => {
    const { clock, checker } = makeLocks();
    const lock = new RwLock({ name: 'mu', clock, observer: checker });
    for (const outer of ['read', 'write'] as const) {
      await expect(lock[outer](() => lock[side](() => undefined))).rejects.toThrow(/^Lock re-entered: mu/);
    }
  });

  it('re-entry after awaits and through other functions: a lock held across an await of something that needs it', async () => {
    const { tracks } = makeLocks();
    const operation = async (): Promise<void> => {
      await settle();
      await tracks.shared(() => undefined);
    };
    await expect(tracks.exclusive(operation)).rejects.toThrow(/re-entered/);
  });

  it.each([
    ['read', 'read'],
    ['read', 'write'],
    ['write', 'read'],
  ] as const)('nesting %s with %s even in the right order', async (outerSide, innerSide) => {
    const { clock, checker } = makeLocks();
    const outer = new RwLock({ name: 'outer', level: 0, clock, observer: checker });
    const inner = new RwLock({ name: 'inner', level: 1, clock, observer: checker });
    await expect(outer[outerSide](() => inner[innerSide](() => undefined))).rejects.toThrow(/shared side/);
    expect(checker.held()).toEqual([]);
  });

  it('a guard requested against the order', async () => {
    const { clock, checker, front } = makeLocks();
    const lock = new RwLock({ name: 'mu', clock, observer: checker });
    await front.shared(async () => {
      await expect(lock.acquireRead()).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    });
  });
});

describe('LockChecker allows', () => {
  it('exclusive under exclusive in order, beside others of its level', async () => {
    const { checker, tracks, front, rear } = makeLocks();
    await tracks.exclusive((token) =>
      Promise.all([front.exclusive(token, () => settle()), rear.exclusive(token, () => settle())]),
    );
    expect(checker.violations).toBe(0);
    expect(checker.held()).toEqual([]);
  });

  it('one lock after the other in one flow', async () => {
    const { checker, tracks, front } = makeLocks();
    for (let cycle = 0; cycle < 3; cycle++) {
      await tracks.shared(() => undefined);
      await front.shared(() => settle());
    }
    expect(checker.violations).toBe(0);
  });

  it('independent flows to hold what they like', async () => {
    const { checker, tracks, front } = makeLocks();
    await Promise.all([front.shared(() => settle()), tracks.exclusive(() => settle())]);
    expect(checker.violations).toBe(0);
  });

  it('a callback that was scheduled inside a section and runs after its end', async () => {
    const { tracks, front } = makeLocks();
    let late: Promise<string> | undefined;
    await front.shared(() => {
      setImmediate(() => {
        late = tracks.exclusive(() => 'done');
      });
    });
    await settle();
    await settle();
    expect(await late).toBe('done');
  });

  it('work that a section starts detached to take locks while the section lasts', async () => {
    const { checker, tracks, front } = makeLocks();
    let loop: Promise<string> | undefined;
    await front.shared(async () => {
      loop = checker.detached(() => tracks.shared(() => 'looped'));
      expect(await loop).toBe('looped');
    });
    expect(checker.violations).toBe(0);
  });
});

describe('LockChecker that does not enforce', () => {
  it('counts what it would refuse and lets it happen', async () => {
    const { checker, tracks, front } = makeLocks({ enforce: false });
    expect(await front.shared(() => tracks.exclusive(() => 'inverted'))).toBe('inverted');
    expect(checker.violations).toBe(1);
  });
});

describe('LockChecker.held', () => {
  it('names a lock that was never released, with its side, site and time', async () => {
    const { clock, checker } = makeLocks();
    const lock = new RwLock({ name: 'encoderMu(front)', clock, observer: checker });
    const guard = await lock.acquireRead();
    const waiting = lock.acquireWrite();
    await settle();
    const site = expect.stringMatching(new RegExp(`^${HERE}$`));
    expect(checker.held()).toEqual([{ lock, side: 'read', site, sinceUs: clock.nowUs() }]);
    guard.release();
    (await waiting).release();
    expect(checker.held()).toEqual([]);
  });

  it('is empty after sections that threw or gave up', async () => {
    const { checker, tracks } = makeLocks();
    await tracks.exclusive(() => Promise.reject(new Error('failed'))).catch(() => undefined);
    await tracks.shared(() => undefined, { signal: AbortSignal.abort() }).catch(() => undefined);
    expect(checker.held()).toEqual([]);
  });
});

describe('LockChecker.waiting', () => {
  it('names a request that waits, with its side, site, time and what its flow holds, until it is served', async () => {
    const { clock, checker, tracks, front } = makeLocks();
    let endCycle = (): void => undefined;
    const cycle = front.shared(() => new Promise<void>((resolve) => (endCycle = resolve)));
    await clock.advance(10);
    const swap = tracks.exclusive((token) => front.exclusive(token, () => undefined));
    await settle();
    const [, tracksHeld] = checker.held();
    expect(checker.waiting()).toEqual([
      {
        lock: expect.objectContaining({ name: 'encoderMu(front)' }),
        side: 'write',
        site: expect.stringMatching(new RegExp(`^${HERE}$`)),
        sinceUs: clock.nowUs(),
        holding: [tracksHeld],
      },
    ]);
    expect(tracksHeld).toMatchObject({ lock: { name: 'tracksMu' }, side: 'write' });
    endCycle();
    await Promise.all([cycle, swap]);
    expect(checker.waiting()).toEqual([]);
  });

  it('forgets a request that gave up', async () => {
    const { clock, checker, tracks } = makeLocks();
    await tracks.exclusive(async () => {
      const request = checker.detached(() => tracks.shared(() => undefined, { timeoutMs: 10 }));
      const outcome = expect(request).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
      expect(checker.waiting()).toHaveLength(1);
      await clock.advance(10);
      await outcome;
      expect(checker.waiting()).toEqual([]);
    });
  });
});
