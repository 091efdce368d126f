import { describe, expect, it } from 'vitest';
import { ProbeEstimator } from '../../src/congestion/probe-estimator.js';
import { type Received, received } from './packet-results.js';

const cluster = { id: 1, targetBps: 2_000_000, minPackets: 5, minBytes: 5_000 };

function probe(count: number, sentGapUs: number, receivedGapUs: number, probeId = 1, startUs = 0): readonly Received[] {
  return Array.from({ length: count }, (_, index) => {
    const receivedAtUs = startUs + 50_000 + index * receivedGapUs;
    return received(index, startUs + index * sentGapUs, 0, { probeId, receivedAtUs });
  });
}

function estimator(): ProbeEstimator {
  const probes = new ProbeEstimator();
  probes.started(cluster);
  return probes;
}

describe('ProbeEstimator', () => {
  it('finds the rate of a probe that the link carried', () => {
    // Four packets of 1200 bytes in 4 x 4.8 ms are 2 Mbit/s.
    expect(estimator().add(probe(5, 4_800, 4_800))).toBeCloseTo(2_000_000, 6);
  });

  it('finds 95 % of what arrived where that is less than 90 % of what was sent', () => {
    expect(estimator().add(probe(5, 4_800, 9_600))).toBeCloseTo(950_000, 6);
    expect(estimator().add(probe(5, 4_800, 5_300))).toBeCloseTo((4 * 9_600) / 0.0212, 3);
  });

  describe('with packets that late timers send at once', () => {
    /** A packet, 12 ms later five more, 12 ms later five more: 20 packets of 1200 bytes in 24 ms would be 8 Mbit/s, ten are 4. */
    function bursts(linkBps: number): readonly Received[] {
      let freeAtUs = 0;
      return [0, ...Array<number>(5).fill(12_000), ...Array<number>(5).fill(24_000)].map((sentAtUs, sequence) => {
        freeAtUs = Math.max(freeAtUs, sentAtUs) + (1_200 * 8_000_000) / linkBps;
        return received(sequence, sentAtUs, 0, { probeId: 1, receivedAtUs: 50_000 + freeAtUs });
      });
    }

    it('does not take the last of them for a slow link', () => {
      expect(estimator().add(bursts(10_000_000))).toBeCloseTo(4_000_000, -3);
    });

    it('finds no more than the link makes of them', () => {
      expect(estimator().add(bursts(3_000_000))).toBeCloseTo(0.95 * 3_000_000, -4);
      expect(estimator().add(bursts(2_000_000))).toBeCloseTo(0.95 * 2_000_000, -4);
    });

    it('counts what was overtaken to no burst but its own', () => {
      const packets = [...bursts(10_000_000)];
      const [, overtaken] = packets;
      if (overtaken === undefined) throw new Error('there is a second packet');
      const late = { ...overtaken, receivedAtUs: 150_000 };
      expect(estimator().add([...packets.slice(0, 1), ...packets.slice(2), late])).toBeCloseTo(4_000_000, -3);
    });
  });

  it('believes no packets that arrive more than twice as fast as they were sent', () => {
    expect(estimator().add(probe(5, 4_800, 2_399))).toBeUndefined();
    expect(estimator().add(probe(5, 4_800, 2_400))).toBeCloseTo(2_000_000, 6);
  });

  it('waits for four packets of five and four fifths of the bytes', () => {
    expect(estimator().add(probe(3, 4_800, 4_800))).toBeUndefined();
    expect(estimator().add(probe(4, 4_800, 4_800))).toBeCloseTo(2_000_000, 6);
    const probes = new ProbeEstimator();
    probes.started({ ...cluster, minBytes: 7_500 });
    expect(probes.add(probe(4, 4_800, 4_800))).toBeUndefined();
    expect(probes.add(probe(5, 4_800, 4_800).slice(4))).toBeCloseTo(2_000_000, 6);
  });

  it('puts packets together that several messages tell of, in any order', () => {
    const probes = estimator();
    const packets = probe(5, 4_800, 4_800);
    expect(probes.add(packets.slice(3))).toBeUndefined();
    expect(probes.add(packets.slice(0, 3))).toBeCloseTo(2_000_000, 6);
  });

  it('ignores packets of no probe, or of one that it does not know', () => {
    expect(estimator().add(probe(5, 4_800, 4_800, 2))).toBeUndefined();
    expect(estimator().add(probe(5, 4_800, 4_800).map(({ probeId: _, ...each }) => each))).toBeUndefined();
  });

  it('finds nothing in packets that were sent or arrived at once, or over more than a second', () => {
    expect(estimator().add(probe(5, 0, 4_800))).toBeUndefined();
    expect(estimator().add(probe(5, 4_800, 0))).toBeUndefined();
    expect(estimator().add(probe(5, 250_001, 4_800))).toBeUndefined();
  });

  it('forgets a probe a second after its last packet', () => {
    const probes = estimator();
    probes.started({ ...cluster, id: 2 });
    const packets = probe(5, 4_800, 4_800);
    probes.add(packets.slice(0, 3));
    probes.add(probe(1, 0, 0, 2, 1_100_000));
    expect(probes.add(packets.slice(3))).toBeUndefined();
  });

  it('remembers five probes, or those of which nothing is heard would pile up', () => {
    const probes = new ProbeEstimator();
    for (let id = 1; id <= 6; id += 1) probes.started({ ...cluster, id });
    expect(probes.add(probe(5, 4_800, 4_800, 1))).toBeUndefined();
    expect(probes.add(probe(5, 4_800, 4_800, 2))).toBeCloseTo(2_000_000, 6);
  });

  it('forgets at a reset', () => {
    const probes = estimator();
    probes.reset();
    expect(probes.add(probe(5, 4_800, 4_800))).toBeUndefined();
  });
});
