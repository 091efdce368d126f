import { describe, expect, it } from 'vitest';
import { ArrivalGroups } from '../../src/congestion/arrival-groups.js';

/** Feeds `[sent, received]` in milliseconds; the message about a packet comes when it arrives, if not said otherwise. */
function deltas(packets: readonly (readonly [number, number, number?])[], groups = new ArrivalGroups()) {
  return packets
    .map(([sentMs, receivedMs, atMs = receivedMs]) =>
      groups.add({ sentAtUs: sentMs * 1000, receivedAtUs: receivedMs * 1000 }, atMs * 1000),
    )
    .map((delta) => (delta === undefined ? undefined : [delta.sentUs / 1000, delta.receivedUs / 1000]));
}

describe('ArrivalGroups', () => {
  it('compares the last packets of two groups when the third begins', () => {
    // Groups: 0 and 4 ms (first + 5 ms not exceeded), 20 and 25 ms, then 40 ms.
    expect(
      deltas([
        [0, 50],
        [4, 56],
        [20, 72],
        [25, 80],
        [40, 95],
      ]),
    ).toEqual([undefined, undefined, undefined, undefined, [21, 24]]);
  });

  it('begins a group more than 5 ms after the first packet of the last one, not the last', () => {
    expect(
      deltas([
        [0, 50],
        [5, 57],
        [6, 64],
        [20, 90],
      ]),
    ).toEqual([undefined, undefined, undefined, [1, 7]]);
  });

  it('takes packets that arrive closer together than they were sent as one burst', () => {
    // Sent 10 ms apart, arrived 2 ms apart: a queue let them go.
    expect(
      deltas([
        [0, 50],
        [20, 100],
        [30, 102],
        [40, 104],
        [60, 140],
      ]),
    ).toEqual([undefined, undefined, undefined, undefined, [40, 54]]);
  });

  it('ends a burst after 100 ms', () => {
    const groups = new ArrivalGroups();
    deltas(
      [
        [0, 50],
        [20, 100],
      ],
      groups,
    );
    const rest = Array.from({ length: 25 }, (_, index) => [30 + 10 * index, 105 + 5 * index] as const);
    // 5 ms apart from 100 on: the one at 200 is not less than 100 ms after the first.
    expect(deltas(rest, groups).findIndex((delta) => delta !== undefined)).toBe(19);
  });

  it('does not take packets that arrive 6 ms apart as a burst', () => {
    expect(
      deltas([
        [0, 50],
        [20, 100],
        [30, 106],
      ]),
    ).toEqual([undefined, undefined, [20, 50]]);
  });

  it('leaves out a packet that was sent before the group', () => {
    expect(
      deltas([
        [0, 50],
        [20, 70],
        [19, 71],
        [40, 90],
      ]),
    ).toEqual([undefined, undefined, undefined, [20, 20]]);
  });

  it('begins anew after the third group in a row that arrived before the one before', () => {
    const groups = new ArrivalGroups();
    const backwards = deltas(
      [
        [0, 1000],
        [20, 1020],
        [40, 900, 1040],
        [60, 920, 1060],
        [80, 940, 1080],
        [100, 960, 1100],
      ],
      groups,
    );
    expect(backwards.slice(3)).toEqual([undefined, undefined, undefined]);
    expect(
      deltas(
        [
          [120, 980, 1120],
          [140, 1000, 1140],
          [160, 1025, 1160],
        ],
        groups,
      ),
    ).toEqual([undefined, undefined, [20, 20]]);
  });

  it('begins anew when the receive clock leaps ahead by 3 s', () => {
    const groups = new ArrivalGroups();
    const leap = [
      [0, 50],
      [20, 70],
      [40, 3_091, 90],
      [60, 3_111, 110],
      [80, 3_131, 130],
    ] as const;
    expect(deltas(leap, groups)).toEqual([undefined, undefined, [20, 20], undefined, undefined]);
    const after = [
      [100, 3_151, 150],
      [120, 3_171, 170],
      [140, 3_191, 190],
    ] as const;
    expect(deltas(after, groups).at(-1)).toEqual([20, 20]);
  });
});
