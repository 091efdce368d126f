import { describe, expect, it } from 'vitest';
import { RoundTrip } from '../../src/congestion/round-trip.js';

describe('RoundTrip', () => {
  it('takes 200 ms and feedback each 100 ms for granted until something is known', () => {
    const roundTrip = new RoundTrip();
    expect([roundTrip.us, roundTrip.minUs, roundTrip.loopUs]).toEqual([200_000, 200_000, 300_000]);
  });

  it('starts from the first sample and moves an eighth of the way to each further one', () => {
    const roundTrip = new RoundTrip();
    roundTrip.add(100_000, 0);
    roundTrip.add(180_000, 50_000);
    expect(roundTrip.us).toBe(110_000);
  });

  it('remembers the least for 10 s', () => {
    const roundTrip = new RoundTrip();
    roundTrip.add(100_000, 0);
    roundTrip.add(150_000, 10_000_000);
    expect(roundTrip.minUs).toBe(100_000);
    roundTrip.add(150_000, 10_000_001);
    expect(roundTrip.minUs).toBe(150_000);
  });

  it('learns how far apart feedback comes, and takes a pause for no more than 500 ms', () => {
    const roundTrip = new RoundTrip();
    for (let index = 0; index < 200; index += 1) roundTrip.add(100_000, index * 50_000);
    expect(roundTrip.loopUs).toBeCloseTo(150_000, -1);
    roundTrip.add(100_000, 60_000_000);
    // An eighth of the way from 50 to 500 ms.
    expect(roundTrip.loopUs).toBeCloseTo(206_250, -1);
  });

  it('forgets at a reset', () => {
    const roundTrip = new RoundTrip();
    roundTrip.add(50_000, 0);
    roundTrip.add(50_000, 200_000);
    roundTrip.reset();
    expect([roundTrip.us, roundTrip.loopUs]).toEqual([200_000, 300_000]);
  });
});
