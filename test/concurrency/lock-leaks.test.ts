import { describe, expect, it } from 'vitest';
import { LockChecker } from '../../src/concurrency/lock-checker.js';
import { RwLock } from '../../src/concurrency/rw-lock.js';
import { NodeAsyncContext } from '../../src/sender/async-context.js';
import { expectLocksAtRest } from '../support/lock-leaks.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('expectLocksAtRest', () => {
  it('fails for a lock that is held and for a request that waits, and names both with their sites', async () => {
    const checker = new LockChecker(new NodeAsyncContext());
    const lock = new RwLock({ name: 'encoderMu(front)', clock: new VirtualClock(), observer: checker });
    const held = await lock.acquireRead();
    const waiting = lock.acquireWrite();
    const check = () => expectLocksAtRest(checker);
    expect(check).toThrow(/encoderMu\(front\) \(read\) acquired at \S*lock-leaks\.test\.ts:\d+/);
    expect(check).toThrow(/encoderMu\(front\) \(write\) wanted at \S*lock-leaks\.test\.ts:\d+/);
    held.release();
    expect(check).toThrow(/\(write\)/);
    (await waiting).release();
    check();
  });

  it('passes when requests were refused, aborted or timed out', async () => {
    const clock = new VirtualClock();
    const checker = new LockChecker(new NodeAsyncContext());
    const lock = new RwLock({ name: 'mu', clock, observer: checker });
    await lock.write(async () => {
      await expect(lock.read(() => undefined)).rejects.toMatchObject({ code: 'LOCK_ORDER' });
      const others = checker.detached(() => [
        lock.read(() => undefined, { timeoutMs: 5 }),
        lock.read(() => undefined, { signal: AbortSignal.abort() }),
      ]);
      const outcomes = Promise.allSettled(others);
      await clock.advance(5);
      expect(await outcomes).toMatchObject([
        { reason: { code: 'LOCK_TIMEOUT' } },
        { reason: { code: 'LOCK_ABORTED' } },
      ]);
    });
    expectLocksAtRest(checker);
  });
});
