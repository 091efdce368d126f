import { describe, expect, it } from 'vitest';
import { EncoderLock, type TracksExclusive, TracksLock } from '../../src/concurrency/lock-order.js';
import { watchForLeakedLocks } from '../support/lock-leaks.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const makeChecker = watchForLeakedLocks();

function makeLocks() {
  const clock = new VirtualClock();
  const checker = makeChecker();
  const tracks = new TracksLock({ clock, checker });
  const front = new EncoderLock({ name: 'encoderMu(front)', tracks, clock, checker });
  const rear = new EncoderLock({ name: 'encoderMu(rear)', tracks, clock, checker });
  return { clock, tracks, front, rear };
}

describe('TracksLock and EncoderLock', () => {
  it('nest exclusive in exclusive and hand results through', async () => {
    const { tracks, front } = makeLocks();
    expect(await tracks.exclusive((token) => front.exclusive(token, () => 'swapped'))).toBe('swapped');
    expect(await tracks.shared(() => 'snapshot')).toBe('snapshot');
    expect(await front.shared(async () => 'encoded')).toBe('encoded');
  });

  it('make a swap wait for the encode cycle of its own track only', async () => {
    const { tracks, front, rear } = makeLocks();
    const log: string[] = [];
    let endCycle = (): void => undefined;
    const cycle = front.shared(() => new Promise<void>((resolve) => (endCycle = resolve)));
    const swap = tracks.exclusive((token) => front.exclusive(token, () => void log.push('swap front')));
    await rear.shared(() => void log.push('encode rear'));
    await settle();
    expect(log).toEqual(['encode rear']);
    endCycle();
    await Promise.all([cycle, swap]);
    expect(log).toEqual(['encode rear', 'swap front']);
  });

  it('refuse a token whose section has ended', async () => {
    const { tracks, front } = makeLocks();
    const kept = await tracks.exclusive((token) => token);
    await expect(front.exclusive(kept, () => undefined)).rejects.toMatchObject({
      code: 'LOCK_ORDER',
      message: expect.stringMatching(/encoderMu\(front\).*exclusive section of tracksMu/),
    });
    await tracks.exclusive(async () => {
      await expect(front.exclusive(kept, () => undefined)).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    });
  });

  it("refuse a token of another sender's lock", async () => {
    const { front } = makeLocks();
    const other = makeLocks();
    await other.tracks.exclusive(async (token) => {
      await expect(front.exclusive(token, () => undefined)).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    });
  });

  it.each([{}, undefined, null])('refuse a forged token: %o', async (forged) => {
    const { tracks, front } = makeLocks();
    await tracks.exclusive(async () => {
      const token = forged as unknown as TracksExclusive;
      await expect(front.exclusive(token, () => undefined)).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    });
  });

  it('refuse the token after a section that threw', async () => {
    const { tracks, front } = makeLocks();
    const kept: TracksExclusive[] = [];
    await tracks
      .exclusive((token) => {
        kept.push(token);
        throw new Error('the allocation is invalid');
      })
      .catch(() => undefined);
    for (const token of kept) {
      await expect(front.exclusive(token, () => undefined)).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    }
    expect(kept).toHaveLength(1);
  });

  it('keep tracksMu until every encoder section under it has ended, also when another has failed', async () => {
    const { tracks, front, rear } = makeLocks();
    const log: string[] = [];
    let endSwap = (): void => undefined;
    const both = tracks.exclusive((token) =>
      Promise.all([
        front.exclusive(token, () => Promise.reject(new Error('the swap failed'))),
        rear.exclusive(token, () => new Promise<void>((resolve) => (endSwap = resolve))),
      ]),
    );
    const outcome = expect(both).rejects.toThrow('the swap failed');
    const next = tracks.exclusive(() => void log.push('next'));
    await settle();
    expect(log).toEqual([]);
    endSwap();
    await Promise.all([outcome, next]);
    expect(log).toEqual(['next']);
  });

  it('tell their names, by default tracksMu, and their figures', async () => {
    const { clock, tracks, front } = makeLocks();
    expect([tracks.name, front.name]).toEqual(['tracksMu', 'encoderMu(front)']);
    expect(new TracksLock({ name: 'tracksMu(left)', clock }).name).toBe('tracksMu(left)');
    await tracks.exclusive((token) => front.exclusive(token, () => undefined));
    expect(tracks.stats()).toMatchObject({ name: 'tracksMu', write: { acquisitions: 1, holding: 0 } });
    expect(front.stats()).toMatchObject({ name: 'encoderMu(front)', write: { acquisitions: 1, holding: 0 } });
  });

  it('pass abort and timeout on', async () => {
    const { clock, tracks, front } = makeLocks();
    let endCycle = (): void => undefined;
    const cycle = front.shared(() => new Promise<void>((resolve) => (endCycle = resolve)));
    const swap = tracks.exclusive((token) => front.exclusive(token, () => undefined, { timeoutMs: 30 }));
    const outcome = expect(swap).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    await settle();
    await clock.advance(30);
    await outcome;
    endCycle();
    await cycle;
  });
});
