import { describe, expect, it } from 'vitest';
import { SILENCE_CHECK_MS, SilenceClock } from '../../../src/transport/lifecycle/silence-clock.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const CHECK_US = SILENCE_CHECK_MS * 1000;

describe('a silence clock', () => {
  it('measures from the start, and from what was heard last', async () => {
    const clock = new VirtualClock();
    const told: number[] = [];
    const silence = new SilenceClock({ clock, checked: (silenceUs) => void told.push(silenceUs) });
    silence.start();
    silence.start();
    await clock.advance(2 * SILENCE_CHECK_MS);
    silence.heard();
    await clock.advance(SILENCE_CHECK_MS);
    expect(told).toEqual([CHECK_US, 2 * CHECK_US, CHECK_US]);
    expect(silence.silenceUs).toBe(CHECK_US);
  });

  it('leaves out time that does not count', async () => {
    const clock = new VirtualClock();
    let isCounting = false;
    const silence = new SilenceClock({ clock, counts: () => isCounting, checked: () => undefined });
    silence.start();
    await clock.advance(4 * SILENCE_CHECK_MS);
    expect(silence.silenceUs).toBe(0);
    isCounting = true;
    await clock.advance(SILENCE_CHECK_MS);
    expect(silence.silenceUs).toBe(CHECK_US);
  });

  it('stops for good, also when it is stopped by whom it tells', async () => {
    const clock = new VirtualClock();
    let told = 0;
    const silence: SilenceClock = new SilenceClock({
      clock,
      checked: () => {
        told += 1;
        silence.stop();
      },
    });
    silence.start();
    await clock.advance(4 * SILENCE_CHECK_MS);
    expect(told).toBe(1);
  });
});
