import { describe, expect, it } from 'vitest';
import { type PacedPacket, Pacer } from '../../src/congestion/pacer.js';

/** A packet takes 10 ms. */
const LIMITS = { pacingBps: 800_000, windowBytes: 100_000 };
const PACKET: PacedPacket = { kind: 'video', ssrc: 1, priority: 0, sizeBytes: 1000 };

function pacerWith(packets: number, windowBytes = LIMITS.windowBytes): Pacer<PacedPacket> {
  const pacer = new Pacer<PacedPacket>({ ...LIMITS, windowBytes }, { catchUpUs: 30_000 });
  for (let count = 0; count < packets; count += 1) pacer.enqueue(PACKET, 1_000_000);
  return pacer;
}

describe('a driver that is late while packets wait', () => {
  it('catches up with what it missed, so that it gets through what it is given', () => {
    const pacer = pacerWith(10);
    expect(pacer.depart(1_000_000, 0)).toHaveLength(1);
    expect(pacer.depart(1_025_000, 0)).toHaveLength(3);
    expect(pacer.depart(1_050_000, 0)).toHaveLength(2);
  });

  it('does not catch up with more than it was made for, however late it is', () => {
    const pacer = pacerWith(10);
    expect(pacer.depart(1_000_000, 0)).toHaveLength(1);
    expect(pacer.depart(1_900_000, 0)).toHaveLength(4);
  });

  it('does not catch up with a pause, nor with the time in which too much was in flight', () => {
    const pacer = pacerWith(1);
    pacer.depart(1_000_000, 0);
    for (let count = 0; count < 5; count += 1) pacer.enqueue(PACKET, 2_000_000);
    expect(pacer.depart(2_000_000, 0)).toHaveLength(1);
    const blocked = pacerWith(5, 1000);
    expect(blocked.depart(1_000_000, 1000)).toEqual([]);
    expect(blocked.depart(1_030_000, 1000)).toEqual([]);
    expect(blocked.depart(1_030_000, 0)).toHaveLength(1);
  });
});
