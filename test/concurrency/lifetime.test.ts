import { describe, expect, it } from 'vitest';
import { LateCompletions } from '../../src/concurrency/late-completions.js';
import { Lifetime } from '../../src/concurrency/lifetime.js';
import { VirtualClock } from '../support/virtual-clock.js';

function life() {
  const late = new LateCompletions();
  return { late, lifetime: new Lifetime('the connection', late) };
}

describe('Lifetime', () => {
  it('passes callbacks through while it lasts and counts them afterwards', () => {
    const { lifetime, late } = life();
    const calls: number[] = [];
    const guarded = lifetime.guard('rtcp', (value: number) => {
      calls.push(value);
    });
    guarded(1);
    lifetime.end();
    guarded(2);
    guarded(3);
    expect(calls).toEqual([1]);
    expect(late.byKind()).toEqual({ rtcp: 2 });
  });

  it('answers code that goes on after an await', () => {
    const { lifetime, late } = life();
    expect(lifetime.enter('answer')).toBe(true);
    lifetime.end();
    expect(lifetime.enter('answer')).toBe(false);
    expect(late.byKind()).toEqual({ answer: 1 });
  });

  it('can be ended from inside a guarded callback, which runs on', () => {
    const { lifetime, late } = life();
    const steps: string[] = [];
    lifetime.guard('state', () => {
      lifetime.end();
      steps.push('went on');
    })();
    expect(steps).toEqual(['went on']);
    expect(lifetime.ended).toBe(true);
    expect(late.byKind()).toEqual({});
  });

  it('aborts its signal with CLOSED, once', () => {
    const { lifetime } = life();
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
    const guarded = life().lifetime.guard('rtcp', () => {
      throw failure;
    });
    expect(guarded).toThrow(failure);
  });

  it('gives timers that do nothing once it has ended', async () => {
    const { lifetime, late } = life();
    const clock = new VirtualClock();
    const living = lifetime.clock(clock);
    const rung: string[] = [];
    living.setTimer(10, () => rung.push('in time'));
    living.setTimer(20, () => rung.push('cancelled')).cancel();
    living.setTimer(30, () => rung.push('late'));
    await clock.advance(20);
    lifetime.end();
    await clock.advance(20);
    expect(rung).toEqual(['in time']);
    expect(late.byKind()).toEqual({ timer: 1 });
    expect([living.nowUs(), living.wallUs()]).toEqual([clock.nowUs(), clock.wallUs()]);
  });
});

describe('LateCompletions', () => {
  it('counts for several lives together, and hands out snapshots', () => {
    const late = new LateCompletions();
    const lives = [new Lifetime('one', late), new Lifetime('another', late)];
    for (const life of lives) life.end();
    const before = late.byKind();
    for (const life of lives) life.enter('frame');
    expect(before).toEqual({});
    expect(late.byKind()).toEqual({ frame: 2 });
  });
});
