import { describe, expect, it } from 'vitest';
import { Lifetime } from '../../src/concurrency/lifetime.js';

describe('Lifetime', () => {
  it('passes callbacks through while it lasts and counts them afterwards', () => {
    const lifetime = new Lifetime('the connection');
    const calls: number[] = [];
    const guarded = lifetime.guard('rtcp', (value: number) => {
      calls.push(value);
    });
    guarded(1);
    lifetime.end();
    guarded(2);
    guarded(3);
    expect(calls).toEqual([1]);
    expect(lifetime.lateCompletions()).toEqual({ rtcp: 2 });
  });

  it('runs a completion for its result, or not at all after the end', () => {
    const lifetime = new Lifetime();
    expect(lifetime.run('offer', () => 42)).toBe(42);
    lifetime.end();
    expect(
      lifetime.run('offer', () => {
        throw new Error('must not run');
      }),
    ).toBeUndefined();
    expect(lifetime.lateCompletions()).toEqual({ offer: 1 });
  });

  it('answers code that goes on after an await', () => {
    const lifetime = new Lifetime();
    expect(lifetime.enter('answer')).toBe(true);
    lifetime.end();
    expect(lifetime.enter('answer')).toBe(false);
    expect(lifetime.lateCompletions()).toEqual({ answer: 1 });
  });

  it('can be ended from inside a guarded callback, which runs on', () => {
    const lifetime = new Lifetime();
    const steps: string[] = [];
    lifetime.guard('state', () => {
      lifetime.end();
      steps.push('went on');
    })();
    expect(steps).toEqual(['went on']);
    expect(lifetime.ended).toBe(true);
    expect(lifetime.lateCompletions()).toEqual({});
  });

  it('aborts its signal with CLOSED, once', () => {
    const lifetime = new Lifetime('the connection');
    let aborts = 0;
    lifetime.signal.addEventListener('abort', () => {
      aborts += 1;
      expect(lifetime.ended).toBe(true);
    });
    lifetime.end();
    lifetime.end();
    expect(aborts).toBe(1);
    expect(lifetime.signal.reason).toMatchObject({ code: 'CLOSED', message: 'the connection has ended' });
  });

  it('lets an error of a callback through while it lasts', () => {
    const failure = new Error('bad compound');
    const guarded = new Lifetime().guard('rtcp', () => {
      throw failure;
    });
    expect(guarded).toThrow(failure);
  });

  it('hands out snapshots', () => {
    const lifetime = new Lifetime();
    lifetime.end();
    const before = lifetime.lateCompletions();
    lifetime.enter('timer');
    expect(before).toEqual({});
  });
});
