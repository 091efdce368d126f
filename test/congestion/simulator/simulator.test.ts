import { describe, expect, it } from 'vitest';
import { Chance } from '../../support/simulator/chance.js';
import { Events } from '../../support/simulator/events.js';
import { burstLoss, Link, type LinkOptions, randomLoss } from '../../support/simulator/link.js';
import { runScenario } from '../../support/simulator/run-scenario.js';
import type { Scenario } from '../../support/simulator/scenario.js';
import { SyntheticEncoder } from '../../support/simulator/synthetic-encoder.js';
import { TcpFlow } from '../../support/simulator/tcp-flow.js';

const MS = 1_000;
const SECOND = 1_000_000;

const SHORT: Scenario = {
  id: 'short',
  title: 'a lossy link with jitter, two flows and short TCP flows beside',
  seconds: 8,
  capacity: [
    [0, 2],
    [4, 1],
  ],
  lossShare: 0.01,
  feedbackLossShare: 0.05,
  jitterMs: 20,
  flows: [{ startS: 0 }, { startS: 1 }],
  tcp: 'short',
  bars: {},
};

describe('a simulation', () => {
  it('repeats itself packet for packet from the same seed, and not from another', () => {
    const digests = [1, 1, 2].map((seed) => runScenario(SHORT, seed).digest);
    expect(digests[1]).toBe(digests[0]);
    expect(digests[2]).not.toBe(digests[0]);
  });
});

describe('Events', () => {
  it('run in the order of time, ties in that of asking, and none in the past', () => {
    const events = new Events();
    const log: string[] = [];
    const chance = new Chance(5);
    for (let index = 0; index < 300; index += 1) {
      const atUs = Math.floor(chance.uniform(0, 50));
      events.at(atUs, () => log.push(`${String(atUs).padStart(2, '0')} ${String(index).padStart(3, '0')}`));
    }
    events.at(10, () => events.at(3, () => log.push('10 late')));
    events.runUntil(49);
    expect(log).toHaveLength(301);
    expect(log).toEqual([...log].sort());
    expect(events.nowUs).toBe(49);
  });

  it('leaves what is due later', () => {
    const events = new Events();
    let runs = 0;
    events.at(11, () => {
      runs += 1;
    });
    events.runUntil(10);
    expect(runs).toBe(0);
    events.runUntil(11);
    expect(runs).toBe(1);
  });
});

interface Sent {
  readonly events: Events;
  readonly arrived: { readonly id: number; readonly atUs: number }[];
  readonly waitedUs: number[];
  dropped: number;
}

/** Sends packets of 1000 bytes, one each `gapUs`. */
function sendOver(options: Partial<LinkOptions>, count: number, gapUs: number): Sent {
  const events = new Events();
  const sent: Sent = { events, arrived: [], waitedUs: [], dropped: 0 };
  const common = {
    events,
    chance: new Chance(1),
    capacity: [{ atUs: 0, bps: 1_000_000 }],
    delayUs: 50 * MS,
    queueUs: 300 * MS,
  };
  const link = new Link({ ...common, ...options, events });
  for (let id = 0; id < count; id += 1) {
    events.at(id * gapUs, () =>
      link.send({
        sizeBytes: 1_000,
        arrive: () => sent.arrived.push({ id, atUs: events.nowUs }),
        waited: (queueUs) => sent.waitedUs.push(queueUs),
        dropped: () => {
          sent.dropped += 1;
        },
      }),
    );
  }
  events.runUntil(60 * SECOND);
  return sent;
}

describe('Link', () => {
  it('takes the time of transmission and the delay for a packet alone', () => {
    // 8000 bits at 1 Mbit/s, and 50 ms.
    expect(sendOver({}, 1, 0).arrived).toEqual([{ id: 0, atUs: 58 * MS }]);
  });

  it('lets packets through at its capacity, with the rest waiting', () => {
    const { arrived, waitedUs } = sendOver({}, 10, 0);
    expect(arrived.map(({ atUs }) => atUs)).toEqual(Array.from({ length: 10 }, (_, index) => 58 * MS + index * 8 * MS));
    expect(waitedUs).toEqual(Array.from({ length: 10 }, (_, index) => index * 8 * MS));
  });

  it('drops what its queue has no room for: that of 300 ms at its capacity', () => {
    // 37,500 bytes.
    const { arrived, dropped } = sendOver({}, 100, 0);
    expect([arrived.length, dropped]).toEqual([37, 63]);
  });

  it('conserves packets and keeps their order through jitter, losses, outages and changes of capacity', () => {
    const chance = new Chance(9);
    const capacity = [
      { atUs: 0, bps: 2_000_000 },
      { atUs: SECOND, bps: 0 },
      { atUs: 1_300 * MS, bps: 500_000 },
      { atUs: 3 * SECOND, bps: 5_000_000 },
    ];
    const { arrived, dropped } = sendOver(
      { capacity, jitterUs: 30 * MS, isLost: randomLoss(chance, 0.1) },
      2_000,
      2 * MS,
    );
    expect(arrived.length + dropped).toBe(2_000);
    expect(dropped).toBeGreaterThan(100);
    for (const [index, { id, atUs }] of arrived.entries()) {
      expect(id).toBeGreaterThan(arrived[index - 1]?.id ?? -1);
      expect(atUs).toBeGreaterThanOrEqual(arrived[index - 1]?.atUs ?? 0);
    }
  });

  it('lets nothing through while its capacity is 0', () => {
    const capacity = [
      { atUs: 0, bps: 0 },
      { atUs: 2 * SECOND, bps: 1_000_000 },
    ];
    expect(sendOver({ capacity }, 1, 0).arrived).toEqual([{ id: 0, atUs: 2_058 * MS }]);
  });

  it('loses in bursts where that is asked for', () => {
    const isLost = burstLoss(new Chance(3), { toBad: 0.005, toGood: 0.2, lossWhileBad: 0.82 });
    const losses = Array.from({ length: 200_000 }, () => isLost(1_200));
    const share = losses.filter(Boolean).length / losses.length;
    // 0.005 / 0.205 of the time, 82 % of it.
    expect(share).toBeGreaterThan(0.017);
    expect(share).toBeLessThan(0.023);
    const followed =
      losses.filter((each, index) => each && losses[index + 1] === true).length / (share * losses.length);
    expect(followed).toBeGreaterThan(0.5);
  });
});

describe('TcpFlow', () => {
  it('fills a link alone to at least 90 %, and ends when all has arrived', () => {
    const events = new Events();
    const common = { events, chance: new Chance(1), delayUs: 50 * MS, queueUs: 300 * MS };
    const forward = new Link({ ...common, capacity: [{ atUs: 0, bps: 2_000_000 }] });
    const back = new Link({ ...common, capacity: [{ atUs: 0, bps: 100_000_000 }] });
    let bytes = 0;
    const arrived = (size: number) => {
      bytes += size;
    };
    new TcpFlow({ events, forward, back, startUs: 0, arrived });
    events.runUntil(60 * SECOND);
    expect((bytes * 8) / 60).toBeGreaterThan(0.9 * 2_000_000);
  });

  it('is finished when the last of what it has to send was acknowledged', () => {
    const events = new Events();
    const common = {
      events,
      chance: new Chance(1),
      delayUs: 10 * MS,
      queueUs: 100 * MS,
      capacity: [{ atUs: 0, bps: 10_000_000 }],
    };
    let finished = 0;
    let bytes = 0;
    new TcpFlow({
      events,
      forward: new Link({ ...common, isLost: randomLoss(new Chance(2), 0.05) }),
      back: new Link(common),
      startUs: 0,
      totalBytes: 300_000,
      arrived: (size) => {
        bytes += size;
      },
      finished: () => {
        finished += 1;
      },
    });
    events.runUntil(60 * SECOND);
    expect([finished, bytes]).toEqual([1, 300_000]);
  });
});

describe('SyntheticEncoder', () => {
  const average = (encoder: SyntheticEncoder, bps: number, frames = 3_000): number => {
    let bytes = 0;
    for (let index = 0; index < frames; index += 1) bytes += encoder.next(bps, index * 33_333);
    return (bytes * 8 * 30) / frames;
  };

  it('makes what it is asked for, on the average, or as much more as it overshoots', () => {
    const chance = new Chance(4);
    const encoder = new SyntheticEncoder({ chance, framerate: 30 });
    encoder.next(1_000_000, 0);
    expect(average(encoder, 1_000_000)).toBeCloseTo(1_000_000, -5);
    const greedy = new SyntheticEncoder({ chance, framerate: 30, overshoot: 1.3 });
    expect(average(greedy, 1_000_000)).toBeGreaterThan(1_250_000);
  });

  it('follows two frames late, and makes key frames five to eight times as large', () => {
    const encoder = new SyntheticEncoder({ chance: new Chance(4), framerate: 30 });
    const fair = 1_000_000 / 30 / 8;
    const key = encoder.next(1_000_000, 0);
    expect(key).toBeGreaterThanOrEqual(5 * fair);
    expect(key).toBeLessThanOrEqual(8 * fair);
    average(encoder, 1_000_000, 10);
    const sizes = Array.from({ length: 4 }, () => encoder.next(10_000, 0));
    expect(sizes.map((size) => size > fair / 10)).toEqual([true, true, false, false]);
  });
});
