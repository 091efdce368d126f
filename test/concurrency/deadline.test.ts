import { describe, expect, it } from 'vitest';
import { withDeadline } from '../../src/concurrency/deadline.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

function unexpected(error: unknown): void {
  throw error;
}

describe('withDeadline', () => {
  it('tells the value of a promise that settles in time and leaves no timer', async () => {
    const clock = new VirtualClock();
    expect(await withDeadline(Promise.resolve(7), 10, clock, unexpected)).toEqual({ ended: true, value: 7 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects when the promise rejects in time', async () => {
    const clock = new VirtualClock();
    const failure = new Error('close failed');
    await expect(withDeadline(Promise.reject(failure), 10, clock, unexpected)).rejects.toBe(failure);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up at the deadline, not before', async () => {
    const clock = new VirtualClock();
    let outcome: unknown;
    void withDeadline(new Promise(() => undefined), 10, clock, unexpected).then((result) => {
      outcome = result;
    });
    await clock.advance(9);
    expect(outcome).toBeUndefined();
    await clock.advance(1);
    expect(outcome).toEqual({ ended: false });
  });

  it('has no deadline and no timer any more once it is lifted', async () => {
    const clock = new VirtualClock();
    const lift = new AbortController();
    let settleIt = (_value: number): void => undefined;
    const promise = new Promise<number>((resolve) => {
      settleIt = resolve;
    });
    const outcome = withDeadline(promise, 10, clock, unexpected, lift.signal);
    lift.abort();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(1000);
    settleIt(7);
    expect(await outcome).toEqual({ ended: true, value: 7 });
  });

  it('leaves nothing on the signal, whether it ends in time or not', async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, args);
    };
    await withDeadline(Promise.resolve(), 10, clock, unexpected, signal);
    const given = withDeadline(new Promise(() => undefined), 10, clock, unexpected, signal);
    expect(listeners).toBe(1);
    await clock.advance(10);
    await given;
    expect(listeners).toBe(0);
  });

  it('reports a failure after the deadline instead of leaving it unhandled', async () => {
    const clock = new VirtualClock();
    const late: unknown[] = [];
    let fail = (_error: Error): void => undefined;
    const promise = new Promise<void>((_resolve, reject) => {
      fail = reject;
    });
    const outcome = withDeadline(promise, 10, clock, (error) => late.push(error));
    await clock.advance(10);
    expect(await outcome).toEqual({ ended: false });
    const failure = new Error('closed too late');
    fail(failure);
    await settle();
    expect(late).toEqual([failure]);
  });
});
