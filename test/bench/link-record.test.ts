import { describe, expect, it } from 'vitest';
import { LinkRecord } from '../../bench/support/real-link/link-record.js';
import type { RealScenario } from '../../bench/support/real-link/scenarios.js';
import type { Arrival } from '../support/network/emulated-link.js';

const START_US = 5e6;
const SCENARIO: RealScenario = {
  id: 'real_test',
  title: '1 and 2 Mbit/s',
  seconds: 20,
  capacity: [
    [0, 1],
    [10, 2],
  ],
  oneWayMs: 50,
  queueMs: 300,
  ramp: { fromS: 10, mbps: 2, untilS: 20 },
  drain: { fromS: 5, untilS: 10 },
  native: {},
};

/** A packet of 1250 bytes every so often, while what is asked of a second holds. */
function flow(mbpsAt: (atS: number) => number, queueMsAt: (atS: number) => number = () => 1): Arrival[] {
  const arrivals: Arrival[] = [];
  let atS = -1;
  for (let index = 1; atS < 22; index += 1) {
    arrivals.push({ index, atUs: START_US + atS * 1e6, sizeBytes: 1250, queueUs: queueMsAt(atS) * 1000 });
    atS += 0.01 / mbpsAt(atS);
  }
  return arrivals;
}

function figures(arrivals: readonly Arrival[]): Readonly<Record<string, number>> {
  const record = new LinkRecord();
  record.add(arrivals);
  return record.figures(SCENARIO, START_US);
}

describe('the record of a link', () => {
  it('relates what came during the scenario to what the link could carry meanwhile', () => {
    expect(figures(flow(() => 1))['utilisation_pct']).toBeCloseTo((100 * 20) / 30, 0);
  });

  it('counts the packets that are missing in the numbering', () => {
    const arrivals = flow(() => 1).filter(({ index }) => index % 4 !== 0);
    expect(figures(arrivals)['loss_pct']).toBeCloseTo(25, 0);
  });

  it('tells when nine tenths of a larger capacity are reached, by rates over half a second', () => {
    const rampS = figures(flow((atS) => (atS < 13 ? 1 : 1.9)))['ramp_s'];
    expect(rampS).toBeGreaterThan(3.3);
    expect(rampS).toBeLessThanOrEqual(3.5);
  });

  it('gives the time that was watched for a rate that is not reached and a queue that is not drained', () => {
    const { ramp_s, drain_s } = figures(
      flow(
        () => 1,
        () => 100,
      ),
    );
    expect(ramp_s).toBe(10);
    expect(drain_s).toBe(5);
  });

  it('takes a queue for drained only when it stays short', () => {
    const dipsAt6 = (atS: number): number => (atS > 6 && atS < 6.3 ? 1 : 200);
    const drainS = figures(
      flow(
        () => 1,
        (atS) => (atS < 7 ? dipsAt6(atS) : 1),
      ),
    )['drain_s'];
    expect(drainS).toBeCloseTo(2, 1);
  });

  it('takes percentiles over the packets of the scenario alone', () => {
    const { queue_ms_p50, queue_ms_max } = figures(
      flow(
        () => 1,
        (atS) => (atS < 0 || atS >= 20 ? 900 : 10 + atS),
      ),
    );
    expect(queue_ms_p50).toBeCloseTo(20, 0);
    expect(queue_ms_max).toBeCloseTo(30, 0);
  });
});
