import { describe, expect, it } from 'vitest';
import type { LimitingFactor } from '../../src/congestion/network-controller.js';
import { ProbeController } from '../../src/congestion/probe-controller.js';

const SECOND = 1_000_000;

interface Tick {
  readonly targetBps?: number;
  readonly queueUs?: number;
  readonly limitedBy?: LimitingFactor;
}

/** Ticks once every 25 ms; what was probed, and when. */
class Probing {
  readonly probes: ProbeController;
  nowUs = 0;

  constructor(maxBps = 20_000_000) {
    this.probes = new ProbeController(maxBps);
  }

  tick({ targetBps = 1_000_000, queueUs = 0, limitedBy = 'delay' }: Tick = {}): readonly number[] {
    return this.probes.tick({ targetBps, queueUs, limitedBy, nowUs: this.nowUs }).map((probe) => probe.targetBps);
  }

  /** Seconds after which each probe went out. */
  run(seconds: number, tick: Tick = {}): readonly (readonly [number, number])[] {
    const found: (readonly [number, number])[] = [];
    const startUs = this.nowUs;
    for (; this.nowUs < startUs + seconds * SECOND; this.nowUs += 25_000) {
      for (const bps of this.tick(tick)) found.push([(this.nowUs - startUs) / SECOND, bps]);
    }
    return found;
  }
}

describe('ProbeController', () => {
  it('begins with three and six times the start rate, each 15 ms and five packets long', () => {
    const probes = new ProbeController(20_000_000).tick({
      targetBps: 1_000_000,
      queueUs: 0,
      limitedBy: 'delay',
      nowUs: 0,
    });
    expect(probes).toEqual([
      { id: 0, targetBps: 3_000_000, minPackets: 5, minBytes: 5_625 },
      { id: 1, targetBps: 6_000_000, minPackets: 5, minBytes: 11_250 },
    ]);
  });

  it('goes no further than the maximum, and not at all from there', () => {
    expect(new Probing(4_000_000).tick()).toEqual([3_000_000, 4_000_000]);
    expect(new Probing(1_000_000).tick()).toEqual([]);
  });

  it('goes on at twice what was found while that is 70 % of what was tried', () => {
    const probing = new Probing();
    probing.tick();
    probing.probes.found(4_200_000, 100_000);
    expect(probing.tick({ targetBps: 4_200_000 })).toEqual([8_400_000]);
    probing.probes.found(5_879_999, 200_000);
    expect(probing.tick({ targetBps: 5_879_999 })).toEqual([]);
  });

  it('takes a result that comes after a second for no result', () => {
    const probing = new Probing();
    probing.tick();
    probing.probes.found(6_000_000, SECOND + 1);
    expect(probing.tick()).toEqual([]);
  });

  it('takes one result of a probe, not each of its packets', () => {
    const probing = new Probing();
    probing.tick();
    probing.probes.found(6_000_000, 100_000);
    probing.tick({ targetBps: 6_000_000 });
    probing.probes.found(12_000_000, 200_000);
    probing.probes.found(12_000_000, 200_000);
    expect(probing.tick({ targetBps: 12_000_000 })).toEqual([20_000_000]);
    expect(probing.tick({ targetBps: 12_000_000 })).toEqual([]);
  });

  it('tries twice the target after 2 s without a queue, and every 2.5 s', () => {
    const probing = new Probing();
    probing.tick();
    expect(probing.run(8)).toEqual([
      [2.5, 2_000_000],
      [5, 2_000_000],
      [7.5, 2_000_000],
    ]);
  });

  it('waits for 2 s from when the queue was gone, also where it was drained in between', () => {
    const probing = new Probing();
    probing.tick();
    probing.run(4, { queueUs: 10_000 });
    expect(probing.run(2.2)).toEqual([[2, 2_000_000]]);
    probing.run(3, { queueUs: 40_000, limitedBy: 'queue' });
    expect(probing.run(2.2)).toEqual([[2, 2_000_000]]);
  });

  it('tries nothing while losses keep the rate down, a queue drains or feedback is silent', () => {
    for (const limitedBy of ['loss', 'queue', 'silence'] as const) {
      const probing = new Probing();
      probing.tick();
      expect(probing.run(10, { limitedBy })).toEqual([]);
    }
  });

  it('tries 85 % of the former rate, a second after a fall to less than two thirds', () => {
    const probing = new Probing();
    probing.tick({ targetBps: 4_000_000 });
    expect(probing.run(1.5, { targetBps: 2_600_000 })).toEqual([[1.025, 3_400_000]]);
    // Once: then the former rate is gone.
    expect(probing.run(2, { targetBps: 2_600_000 })).toEqual([]);
    const small = new Probing();
    small.tick({ targetBps: 4_000_000 });
    expect(small.run(1.5, { targetBps: 2_700_000 })).toEqual([]);
  });

  it('takes a rate that is low until a queue has drained for no fall', () => {
    const probing = new Probing();
    probing.tick({ targetBps: 4_000_000 });
    probing.run(0.3, { targetBps: 1_600_000, limitedBy: 'queue', queueUs: 50_000 });
    expect(probing.run(1.9, { targetBps: 3_800_000 })).toEqual([]);
  });

  it('begins anew after a reset, with new numbers', () => {
    const probing = new Probing();
    probing.tick();
    probing.probes.reset();
    expect(probing.probes.tick({ targetBps: 500_000, queueUs: 0, limitedBy: 'delay', nowUs: 10 })).toMatchObject([
      { id: 2, targetBps: 1_500_000 },
      { id: 3, targetBps: 3_000_000 },
    ]);
  });
});
