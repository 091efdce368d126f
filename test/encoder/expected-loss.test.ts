import { describe, expect, it } from 'vitest';
import { ExpectedLoss } from '../../src/encoder/expected-loss.js';

/** Reports one loss every second for so long. */
function lasting(seconds: number, fractionLost: number, loss = new ExpectedLoss(), fromSeconds = 0): ExpectedLoss {
  for (let second = 0; second < seconds; second += 1) loss.update(fractionLost, (fromSeconds + second) * 1e6);
  return loss;
}

describe('ExpectedLoss', () => {
  it('prepares for 5 % before anything is reported', () => {
    expect(new ExpectedLoss().level).toBe(0.05);
  });

  it.each([
    [0, 0.05],
    [0.05, 0.05],
    [0.109, 0.05],
    [0.111, 0.1],
    [0.219, 0.1],
    [0.221, 0.2],
    [1, 0.2],
  ])('takes a steady loss of %d for a level of %d', (fractionLost, level) => {
    expect(lasting(60, fractionLost).level).toBe(level);
  });

  it('keeps its level within the margin, on the way up as on the way down', () => {
    const loss = lasting(60, 0.105);
    expect(loss.level).toBe(0.05);
    lasting(60, 0.15, loss, 60);
    expect(lasting(60, 0.095, loss, 120).level).toBe(0.1);
    expect(lasting(60, 0.085, loss, 180).level).toBe(0.05);
  });

  it('follows a change over some ten seconds, not one bad report', () => {
    const loss = lasting(10, 0);
    loss.update(1, 10e6);
    expect(loss.level).toBe(0.05);
    expect(lasting(10, 0.3, loss, 11).level).not.toBe(0.05);
  });

  it('takes the time between reports into account, not their number', () => {
    const seldom = lasting(1, 0);
    seldom.update(0.3, 10e6);
    const often = lasting(1, 0);
    for (let ms = 20; ms <= 10_000; ms += 20) often.update(0.3, ms * 1000);
    expect(often.level).toBe(seldom.level);
    expect(often.level).toBe(0.1);
  });
});
