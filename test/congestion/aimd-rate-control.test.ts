import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AimdRateControl } from '../../src/congestion/aimd-rate-control.js';

const SECOND = 1_000_000;
const bounds = { startBps: 1_000_000, minBps: 50_000, maxBps: 5_000_000 };

/** Normal use, once every 100 ms, with so much arriving; ends after `seconds`. */
function grow(control: AimdRateControl, seconds: number, ackedBps: number | undefined, fromUs = 0): number {
  for (let nowUs = fromUs; nowUs <= fromUs + seconds * SECOND; nowUs += 100_000) {
    control.update({ usage: 'normal', ackedBps, nowUs });
  }
  return control.targetBps;
}

describe('AimdRateControl', () => {
  it('grows by 8 % a second while no capacity is known', () => {
    expect(grow(new AimdRateControl(bounds), 1, 1_000_000)).toBeCloseTo(1_080_000, 0);
  });

  it('does not run ahead of what arrives by more than half and 10 kbit/s', () => {
    expect(grow(new AimdRateControl(bounds), 30, 1_000_000)).toBe(1_510_000);
  });

  it('keeps a target that is beyond that limit', () => {
    expect(grow(new AimdRateControl(bounds), 5, 100_000)).toBe(1_000_000);
  });

  it('counts a pause as one second of growth at the most', () => {
    const control = new AimdRateControl(bounds);
    control.update({ usage: 'normal', ackedBps: 1_000_000, nowUs: 0 });
    control.update({ usage: 'normal', ackedBps: 1_000_000, nowUs: 60 * SECOND });
    expect(control.targetBps).toBeCloseTo(1_080_000, 0);
  });

  it('falls to 92 % of what arrives', () => {
    const control = new AimdRateControl(bounds);
    control.update({ usage: 'overusing', ackedBps: 800_000, nowUs: 0 });
    expect(control.targetBps).toBeCloseTo(736_000, 6);
  });

  it('falls from its target where nothing is known of what arrives', () => {
    const control = new AimdRateControl(bounds);
    control.update({ usage: 'overusing', ackedBps: undefined, nowUs: 0 });
    expect(control.targetBps).toBeCloseTo(920_000, 6);
  });

  it('never rises by an overuse, and goes by the capacity where more arrives than it aims at', () => {
    const control = new AimdRateControl(bounds);
    control.update({ usage: 'overusing', ackedBps: 1_000_000, nowUs: 0 });
    control.update({ usage: 'overusing', ackedBps: 1_020_000, nowUs: SECOND });
    // 0.92 x 1.02 M is more than 920 kbit/s, so 0.92 of the capacity found before.
    expect(control.targetBps).toBeCloseTo(920_000, 6);
    control.update({ usage: 'overusing', ackedBps: 4_000_000, nowUs: 2 * SECOND });
    expect(control.targetBps).toBeLessThanOrEqual(920_000);
  });

  it('grows by a packet in a response time near the capacity', () => {
    const control = new AimdRateControl(bounds);
    control.rttUs = 100_000;
    control.update({ usage: 'overusing', ackedBps: 1_000_000, nowUs: 0 });
    const before = control.targetBps;
    control.update({ usage: 'normal', ackedBps: 920_000, nowUs: SECOND });
    control.update({ usage: 'normal', ackedBps: 920_000, nowUs: SECOND + 100_000 });
    // A frame of 920 kbit/s is 30,667 bits in 4 packets of 7,667; in 2 x (100 + 100) ms that is 19,167 bit/s for each second.
    expect(control.targetBps - before).toBeCloseTo(1_916.7, 0);
  });

  it('grows by at least 4 kbit/s for each second near the capacity', () => {
    const control = new AimdRateControl({ ...bounds, startBps: 60_000 });
    control.rttUs = 2_000_000;
    control.update({ usage: 'overusing', ackedBps: 60_000, nowUs: 0 });
    const before = control.targetBps;
    control.update({ usage: 'normal', ackedBps: 60_000, nowUs: SECOND });
    control.update({ usage: 'normal', ackedBps: 60_000, nowUs: 2 * SECOND });
    expect(control.targetBps - before).toBeCloseTo(4_000, 6);
  });

  it('grows by a factor again once more arrives than the capacity explains, or it is to be forgotten', () => {
    const afterOveruse = (): AimdRateControl => {
      const control = new AimdRateControl(bounds);
      control.update({ usage: 'overusing', ackedBps: 1_000_000, nowUs: 0 });
      return control;
    };
    // The upper bound is 1,060 kbit/s.
    expect(grow(afterOveruse(), 1, 1_059_000, SECOND)).toBeLessThan(960_000);
    expect(grow(afterOveruse(), 1, 1_061_000, SECOND)).toBeCloseTo(920_000 * 1.08, 0);
    const forgetful = afterOveruse();
    forgetful.forgetCapacity();
    expect(grow(forgetful, 1, 1_000_000, SECOND)).toBeCloseTo(920_000 * 1.08, 0);
  });

  it('holds while the queue drains', () => {
    const control = new AimdRateControl(bounds);
    for (let nowUs = 0; nowUs < 5 * SECOND; nowUs += 100_000) {
      control.update({ usage: 'underusing', ackedBps: 1_000_000, nowUs });
    }
    expect(control.targetBps).toBe(1_000_000);
  });

  it('may be reduced again after a round trip, or at once if less than half of the target arrives', () => {
    const control = new AimdRateControl(bounds);
    control.rttUs = 80_000;
    expect(control.mayReduce(900_000, 0)).toBe(true);
    control.update({ usage: 'overusing', ackedBps: 1_000_000, nowUs: 0 });
    expect(control.mayReduce(900_000, 79_999)).toBe(false);
    expect(control.mayReduce(900_000, 80_000)).toBe(true);
    expect(control.mayReduce(459_999, 1)).toBe(true);
    expect(control.mayReduce(460_001, 1)).toBe(false);
  });

  it('waits for 10 ms at least and 200 ms at most before it is reduced again', () => {
    const control = new AimdRateControl(bounds);
    control.set(1_000_000, 0);
    control.rttUs = 1;
    expect([control.mayReduce(1_000_000, 9_999), control.mayReduce(1_000_000, 10_000)]).toEqual([false, true]);
    control.rttUs = 5_000_000;
    expect([control.mayReduce(1_000_000, 199_999), control.mayReduce(1_000_000, 200_000)]).toEqual([false, true]);
  });

  it('takes over what a probe found, and grows gently from there', () => {
    const control = new AimdRateControl(bounds);
    control.probed(3_000_000, 0);
    expect(control.targetBps).toBe(3_000_000);
    expect(grow(control, 1, 3_000_000, SECOND)).toBeLessThan(3_100_000);
  });

  it('stays within its bounds and finite, whatever it is told', () => {
    const rate = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined });
    const step = fc.record({
      usage: fc.constantFrom('normal', 'overusing', 'underusing'),
      ackedBps: rate,
      gapUs: fc.nat(10_000_000),
      probedBps: rate,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const control = new AimdRateControl(bounds);
        let nowUs = 0;
        for (const { usage, ackedBps, gapUs, probedBps } of steps) {
          nowUs += gapUs;
          control.update({ usage, ackedBps, nowUs });
          if (probedBps !== undefined) control.probed(probedBps, nowUs);
          expect(control.targetBps).toBeGreaterThanOrEqual(bounds.minBps);
          expect(control.targetBps).toBeLessThanOrEqual(bounds.maxBps);
        }
      }),
    );
  });
});
