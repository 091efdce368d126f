import { describe, expect, it } from 'vitest';
import type { LockObserver } from '../../src/concurrency/lock-observer.js';
import { ObserverGroup } from '../../src/concurrency/observer-group.js';
import { RwLock } from '../../src/concurrency/rw-lock.js';
import { VirtualClock } from '../support/virtual-clock.js';

function makeLock(...observers: readonly LockObserver[]) {
  const clock = new VirtualClock();
  return { clock, lock: new RwLock({ name: 'mu', clock, observer: new ObserverGroup(observers) }) };
}

/** Notes all that it is told, under its name. */
function notingObserver(name: string, log: string[]): LockObserver {
  return {
    requested: (lock, side, nowUs) => {
      log.push(`${name} requested ${lock.name} ${side} ${nowUs}`);
      return {
        acquired: (acquiredUs) => log.push(`${name} acquired ${acquiredUs}`),
        abandoned: () => log.push(`${name} abandoned`),
        run: (body) => {
          log.push(`${name} runs`);
          return body();
        },
        released: () => log.push(`${name} released`),
      };
    },
  };
}

describe('ObserverGroup', () => {
  it('tells every observer all of a section, in order, with the times of the lock, and runs the body once', async () => {
    const log: string[] = [];
    const { clock, lock } = makeLock(notingObserver('a', log), notingObserver('b', log));
    const nowUs = clock.nowUs();
    expect(await lock.read(() => log.push('body'))).toBe(7);
    expect(log).toEqual([
      `a requested mu read ${nowUs}`,
      `b requested mu read ${nowUs}`,
      `a acquired ${nowUs}`,
      `b acquired ${nowUs}`,
      'b runs',
      'a runs',
      'body',
      'a released',
      'b released',
    ]);
  });

  it('tells every observer of a request that gave up', async () => {
    const log: string[] = [];
    const { lock } = makeLock(notingObserver('a', log), notingObserver('b', log));
    await expect(lock.write(() => undefined, { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(log.slice(2)).toEqual(['a abandoned', 'b abandoned']);
  });

  it('abandons for the first what the second refuses, tells the third nothing, and leaves the lock free', async () => {
    const log: string[] = [];
    const refusal = new Error('refused');
    let refuses = true;
    const refusing: LockObserver = {
      requested: (...request) => {
        if (refuses) throw refusal;
        return notingObserver('b', log).requested(...request);
      },
    };
    const { lock } = makeLock(notingObserver('a', log), refusing, notingObserver('c', log));
    await expect(lock.write(() => undefined)).rejects.toBe(refusal);
    expect(log.slice(1)).toEqual(['a abandoned']);
    refuses = false;
    expect(await lock.write(() => 'free', { timeoutMs: 0 })).toBe('free');
  });
});
