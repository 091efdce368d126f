import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BurstyLoss } from '../../bench/support/fec-loss.js';
import { type FecScenario, runFec } from '../../bench/support/fec-model.js';
import { Chance } from '../support/simulator/chance.js';

const SCENARIO: FecScenario = {
  roundTripMs: 150,
  loss: 0.02,
  bursty: false,
  fecShare: 0,
  interleaved: 1,
  seed: 1,
  durationMs: 60_000,
};

describe('runFec', () => {
  it('brings every frame in time over a link that loses nothing, and spends what FEC costs', () => {
    for (const fecShare of [0, 0.2]) {
      const outcome = runFec({ ...SCENARIO, loss: 0, fecShare });
      expect(outcome).toMatchObject({ within150Pct: 100, within300Pct: 100, freezeSPerMinute: 0 });
      expect(outcome.mediaKbps).toBeCloseTo(1500 / (1 + fecShare), -2);
      // The last packet of a frame is seldom full, those of FEC are.
      expect(outcome.sentKbps / outcome.mediaKbps).toBeGreaterThanOrEqual(1 + fecShare);
      expect(outcome.sentKbps / outcome.mediaKbps).toBeLessThan(1.06 + fecShare);
    }
  });

  it('repairs by requests alone within a round trip and what shows the gap, and by FEC sooner', () => {
    const [alone, withFec] = [0, 1 / 3].map((fecShare) => runFec({ ...SCENARIO, fecShare }));
    expect(alone?.within150Pct).toBeLessThan(80);
    expect(alone?.within300Pct).toBeGreaterThan(95);
    expect(withFec?.within150Pct).toBeGreaterThan(95);
  });

  it('is in time for nobody who is further away than the limit', () => {
    expect(runFec({ ...SCENARIO, roundTripMs: 310, fecShare: 1 / 3 }).within150Pct).toBe(0);
  });

  it('says the same for the same seed, and is within its bounds for any', () => {
    const anything = fc.record({
      roundTripMs: fc.integer({ min: 1, max: 400 }),
      loss: fc.double({ min: 0, max: 0.4, noNaN: true }),
      bursty: fc.boolean(),
      fecShare: fc.constantFrom(0, 0.1, 0.2, 1 / 3, 1),
      interleaved: fc.constantFrom(1, 2, 4),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(anything, (given) => {
        const scenario = { ...given, durationMs: 3000 };
        const outcome = runFec(scenario);
        expect(runFec(scenario)).toEqual(outcome);
        expect(outcome.within150Pct).toBeGreaterThanOrEqual(0);
        expect(outcome.within300Pct).toBeGreaterThanOrEqual(outcome.within150Pct);
        expect(outcome.within300Pct).toBeLessThanOrEqual(100);
        expect(outcome.freezeSPerMinute).toBeGreaterThanOrEqual(0);
        expect(outcome.sentKbps).toBeGreaterThanOrEqual(outcome.mediaKbps);
      }),
      { numRuns: 200 },
    );
  });
});

describe('BurstyLoss', () => {
  it('loses the share that it was made for, in bursts', () => {
    const loss = new BurstyLoss(0.05, new Chance(7), 1_000_000);
    const lost = Array.from({ length: 1_000_000 }, (_, atMs) => loss.takes(atMs));
    const count = lost.filter(Boolean).length;
    const bursts = lost.filter((isLost, atMs) => isLost && lost[atMs - 1] !== true).length;
    expect(count / lost.length).toBeCloseTo(0.05, 2);
    expect(count / bursts).toBeGreaterThan(3);
  });
});
