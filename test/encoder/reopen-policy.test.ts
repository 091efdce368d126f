import { describe, expect, it } from 'vitest';
import { ReopenPolicy } from '../../src/encoder/reopen-policy.js';

const SECOND_US = 1_000_000;

describe('ReopenPolicy', () => {
  it.each([
    [1_000_000, 1_140_000, false],
    [1_000_000, 860_000, false],
    [1_000_000, 1_160_000, true],
    [1_000_000, 840_000, true],
  ])('of an encoder at %i calls for another one at %i: %s', (nativeBps, targetBps, expected) => {
    expect(new ReopenPolicy(nativeBps).calls(targetBps, 0)).toBe(expected);
  });

  it('waits 2 s of capture time between two attempts, whether the first came to anything or not', () => {
    const policy = new ReopenPolicy(1_000_000);
    expect(policy.calls(500_000, 5 * SECOND_US)).toBe(true);
    expect(policy.calls(500_000, 7 * SECOND_US - 1)).toBe(false);
    expect(policy.calls(500_000, 7 * SECOND_US)).toBe(true);
  });

  it('measures the next change against the bitrate that was opened', () => {
    const policy = new ReopenPolicy(1_000_000);
    expect(policy.calls(500_000, 0)).toBe(true);
    policy.opened(500_000);
    expect(policy.calls(550_000, 9 * SECOND_US)).toBe(false);
    expect(policy.calls(1_000_000, 9 * SECOND_US)).toBe(true);
  });
});
