import { describe, expect, it } from 'vitest';
import { KeyFrameWait } from '../../src/sender/outbound/key-frame-wait.js';

const DUE_US = 10_000_000;

describe('KeyFrameWait', () => {
  it('finds every frame of use until it begins', () => {
    const wait = new KeyFrameWait();
    expect([wait.isEncodingOfUse(0), wait.isOfUse('delta', 0)]).toEqual([true, true]);
  });

  it('finds nothing worth encoding before the key frame is due, and of what is encoded only that worth sending', () => {
    const wait = new KeyFrameWait();
    wait.begin(DUE_US);
    expect([wait.isEncodingOfUse(DUE_US - 1), wait.isEncodingOfUse(DUE_US)]).toEqual([false, true]);
    expect(wait.isOfUse('delta', DUE_US)).toBe(false);
    expect(wait.isOfUse('key', DUE_US)).toBe(true);
    expect(wait.isOfUse('delta', DUE_US)).toBe(true);
  });

  it('is over when a key frame comes before it was due', () => {
    const wait = new KeyFrameWait();
    wait.begin(DUE_US);
    expect(wait.isOfUse('key', DUE_US - 500_000)).toBe(true);
    expect(wait.isEncodingOfUse(DUE_US - 499_999)).toBe(true);
  });

  it('is given up a second after it was due: some encoders refresh their picture in another way', () => {
    const wait = new KeyFrameWait();
    wait.begin(DUE_US);
    expect(wait.isOfUse('delta', DUE_US + 999_999)).toBe(false);
    expect(wait.isOfUse('delta', DUE_US + 1_000_000)).toBe(true);
    expect(wait.isEncodingOfUse(0)).toBe(true);
  });

  it('ends when the receiver will begin anew', () => {
    const wait = new KeyFrameWait();
    wait.begin(DUE_US);
    wait.end();
    expect([wait.isEncodingOfUse(0), wait.isOfUse('delta', 0)]).toEqual([true, true]);
  });
});
