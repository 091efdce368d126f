import { describe, expect, it } from 'vitest';
import { KeyFrameTurns } from '../../src/congestion/key-frame-turns.js';

const MS = 1_000;

describe('KeyFrameTurns', () => {
  it('lets a camera make its key frame at once, and another 200 ms later', () => {
    const turns = new KeyFrameTurns();
    expect(turns.take('rear', 1, 0)).toBe(true);
    expect(turns.take('left', 1, 199_999)).toBe(false);
    expect(turns.take('left', 1, 200 * MS)).toBe(true);
    expect(turns.take('rear', 1, 399 * MS)).toBe(false);
  });

  it('lets the more important one go before one that waits for longer', () => {
    const turns = new KeyFrameTurns();
    turns.take('driving', 0, 0);
    expect(turns.take('arm', 3, 100 * MS)).toBe(false);
    expect(turns.take('rear', 1, 190 * MS)).toBe(false);
    expect(turns.take('arm', 3, 200 * MS)).toBe(false);
    expect(turns.take('rear', 1, 210 * MS)).toBe(true);
    expect(turns.take('arm', 3, 300 * MS)).toBe(false);
    expect(turns.take('arm', 3, 410 * MS)).toBe(true);
  });

  it('lets a camera wait for none that is less important', () => {
    const turns = new KeyFrameTurns();
    turns.take('arm', 3, 0);
    expect(turns.take('driving', 0, 1 * MS)).toBe(true);
    expect(turns.take('rear', 1, 2 * MS)).toBe(false);
  });

  it('waits for no camera that has not asked for 200 ms', () => {
    const turns = new KeyFrameTurns();
    turns.take('arm', 3, 0);
    turns.take('arm', 3, 1 * MS);
    turns.take('rear', 1, 0);
    expect(turns.take('left', 2, 1 * MS)).toBe(false);
    expect(turns.take('driving', 1, 100 * MS)).toBe(false);
    expect(turns.take('left', 2, 300 * MS)).toBe(false);
    expect(turns.take('left', 2, 301 * MS)).toBe(true);
  });
});
