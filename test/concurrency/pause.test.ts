import { describe, expect, it } from 'vitest';
import { pause } from '../../src/concurrency/pause.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

describe('pause', () => {
  async function begin(signal: AbortSignal) {
    const clock = new VirtualClock();
    let isOver = false;
    void pause(clock, 200, signal).then(() => {
      isOver = true;
    });
    await settle();
    return { clock, isOver: () => isOver };
  }

  it('lasts as long as it was told to', async () => {
    const { clock, isOver } = await begin(new AbortController().signal);
    await clock.advance(199);
    expect(isOver()).toBe(false);
    await clock.advance(1);
    expect(isOver()).toBe(true);
  });

  it('ends with the signal, and leaves no timer', async () => {
    const signal = new AbortController();
    const { clock, isOver } = await begin(signal.signal);
    signal.abort();
    await settle();
    expect([isOver(), clock.pendingTimers]).toEqual([true, 0]);
  });

  it('does not begin when that was aborted before', async () => {
    const { clock, isOver } = await begin(AbortSignal.abort());
    expect([isOver(), clock.pendingTimers]).toEqual([true, 0]);
  });
});
