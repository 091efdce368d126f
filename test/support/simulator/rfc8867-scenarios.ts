import type { Scenario } from './scenario.js';

/**
 * RFC 8867's test cases 5.1 to 5.8. Where its media stops at 1.5 Mbit/s, the encoders here go on to what the link carries, or there would be nothing
 * to measure.
 */
export const RFC8867_SCENARIOS: readonly Scenario[] = [
  {
    id: 'rfc8867_5_1',
    title: 'variable capacity, one flow',
    seconds: 100,
    capacity: [
      [0, 1],
      [40, 2.5],
      [60, 0.6],
      [80, 1],
    ],
    ramp: { fromS: 40, mbps: 2.5, untilS: 60 },
    drain: { fromS: 60, untilS: 80 },
    bars: { utilisationPct: 88, rampS: 4, queueP95Ms: 80, steadyQueueP95Ms: 25, lossPct: 0.5 },
  },
  {
    id: 'rfc8867_5_2',
    title: 'variable capacity, two flows',
    seconds: 125,
    capacity: [
      [0, 4],
      [25, 2],
      [50, 3.5],
      [75, 1],
      [100, 2],
    ],
    flows: [{ startS: 0 }, { startS: 0 }],
    bars: { jain: 0.97, lossPct: 1 },
  },
  {
    id: 'rfc8867_5_3',
    title: 'congested feedback, one flow each way',
    seconds: 100,
    capacity: [
      [0, 2],
      [20, 1],
      [40, 0.5],
      [60, 2],
    ],
    backCapacity: [
      [0, 2],
      [35, 0.8],
      [70, 2],
    ],
    flows: [{ startS: 0 }, { startS: 0, isReverse: true }],
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'rfc8867_5_4',
    title: 'three flows, one after another',
    seconds: 120,
    capacity: [[0, 3.5]],
    flows: [{ startS: 0 }, { startS: 20 }, { startS: 40 }],
    bars: { jain: 0.97, queueP95Ms: 100 },
  },
  {
    id: 'rfc8867_5_5',
    title: 'five flows with round trips of their own',
    seconds: 300,
    capacity: [[0, 4]],
    flows: [10, 25, 50, 100, 150].map((oneWayMs, index) => ({ startS: 10 * index, oneWayMs })),
    bars: { jain: 0.9 },
  },
  {
    id: 'rfc8867_5_6',
    title: 'beside a long TCP flow',
    seconds: 120,
    capacity: [[0, 2]],
    flows: [{ startS: 5 }],
    tcp: 'long',
    bars: { tcpSharePct: 20 },
  },
  {
    id: 'rfc8867_5_6_deep',
    title: 'beside a long TCP flow, queue of 1 s',
    seconds: 120,
    capacity: [[0, 2]],
    queueMs: 1000,
    flows: [{ startS: 5 }],
    tcp: 'long',
    bars: { tcpSharePct: 20 },
  },
  {
    id: 'rfc8867_5_7',
    title: 'two flows beside short TCP flows',
    seconds: 300,
    capacity: [[0, 2]],
    flows: [{ startS: 0 }, { startS: 0 }],
    tcp: 'short',
    bars: { jain: 0.97 },
  },
  {
    id: 'rfc8867_5_8',
    title: 'three flows, one pauses',
    seconds: 120,
    capacity: [[0, 3.5]],
    flows: [{ startS: 0, pauseS: [40, 60] }, { startS: 0 }, { startS: 0 }],
    bars: { resumeS: 3 },
  },
];
