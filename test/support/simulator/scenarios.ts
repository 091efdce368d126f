import type { Scenario } from './scenario.js';

/** A radio link of a moving vehicle, made up: Mbit/s each second, between outages and 12. */
const LTE_1: Scenario['capacity'] = lteTrace([
  6, 7, 8, 8, 7, 5, 4, 3, 3, 4, 6, 9, 11, 12, 11, 9, 7, 4, 2, 1.5, 1.2, 1.5, 2.5, 4, 5, 6, 6, 5, 4, 5, 7, 8, 8, 9, 10,
  9, 6, 3, 2, 3, 4, 4, 5, 6, 7, 7, 6, 6, 5, 5, 6, 7, 8, 9, 8, 7, 6, 6, 7, 7,
]);
const LTE_2: Scenario['capacity'] = lteTrace([
  3, 3, 2.5, 2, 2, 2.5, 3, 4, 4, 3, 2, 1.5, 1, 0.8, 1, 1.5, 2, 3, 4, 5, 5, 5, 4, 4, 3, 3, 2.5, 2.5, 3, 3, 3.5, 4, 4.5,
  5, 5, 4, 3, 2, 1, 0.6, 0.6, 1, 2, 3, 4, 4, 4, 3.5, 3, 3, 3, 3, 3.5, 4, 4, 4, 3, 3, 3, 3,
]);

/**
 * The links that the controller is held against. RFC 8867 numbers its test cases 5.1 to 5.8; where its media stops at 1.5 Mbit/s, the encoders
 * here go on to what the link carries, or there would be nothing to measure.
 */
export const SCENARIOS: readonly Scenario[] = [
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
  {
    id: 'drop_5x',
    title: '10 to 2 Mbit/s at once',
    seconds: 40,
    capacity: [
      [0, 10],
      [20, 2],
    ],
    startMbps: 2,
    drain: { fromS: 20, untilS: 40 },
    bars: { drainS: 1.5, oldestSentMs: 400 },
  },
  {
    id: 'recover_5x',
    title: '2 to 10 Mbit/s at once',
    seconds: 50,
    capacity: [
      [0, 10],
      [15, 2],
      [30, 10],
    ],
    startMbps: 2,
    ramp: { fromS: 30, mbps: 10, untilS: 50 },
    bars: { rampS: 4, lossPct: 1 },
  },
  {
    id: 'cold_start',
    title: '300 kbit/s on 20 Mbit/s',
    seconds: 20,
    capacity: [[0, 20]],
    maxMbps: 30,
    ramp: { fromS: 0, mbps: 20, untilS: 20 },
    bars: { rampS: 3, lossPct: 1 },
  },
  ...([1, 5, 10, 20] as const).map(
    (percent): Scenario => ({
      id: `loss_${percent}`,
      title: `${percent} % of the packets lost at random`,
      seconds: 60,
      capacity: [[0, 3]],
      lossShare: percent / 100,
      bars: { utilisationPct: { 1: 90, 5: 80, 10: 60, 20: 30 }[percent] },
    }),
  ),
  {
    id: 'ge_burst',
    title: 'losses in bursts, 2 % on the average',
    seconds: 60,
    capacity: [[0, 3]],
    burstLoss: true,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'jitter',
    title: 'jitter of 30 ms',
    seconds: 60,
    capacity: [[0, 3]],
    jitterMs: 30,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  { id: 'lte_1', title: 'radio, 1 to 12 Mbit/s', seconds: 60, capacity: LTE_1, bars: { queueP95Ms: 150 } },
  { id: 'lte_2', title: 'radio, 0.6 to 5 Mbit/s', seconds: 60, capacity: LTE_2, bars: { queueP95Ms: 150 } },
  {
    id: 'blackout',
    title: 'nothing for 300 ms, every 10 s',
    seconds: 60,
    capacity: [0, 10, 20, 30, 40, 50].flatMap((atS) => [[atS, 3] as const, [atS + 9.7, 0] as const]),
    bars: { utilisationPct: 80 },
  },
  {
    id: 'deep_queue',
    title: 'queue of 2 s',
    seconds: 60,
    capacity: [[0, 3]],
    queueMs: 2000,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'short_queue',
    title: 'queue of 20 ms',
    seconds: 60,
    capacity: [[0, 3]],
    queueMs: 20,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'feedback_loss',
    title: '30 % of the feedback lost',
    seconds: 60,
    capacity: [[0, 3]],
    feedbackLossShare: 0.3,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'feedback_silence',
    title: 'no feedback for 2 s',
    seconds: 60,
    capacity: [[0, 3]],
    backCapacity: [
      [0, 100],
      [30, 0],
      [32, 100],
    ],
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'clock_drift',
    title: "the receiver's clock 200 ppm fast",
    seconds: 60,
    capacity: [[0, 3]],
    driftPpm: 200,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'static_scene',
    title: 'a still scene, then motion',
    seconds: 60,
    capacity: [[0, 3]],
    content: [
      [0, 20],
      [15, 0.2],
      [40, 20],
    ],
    ramp: { fromS: 40, mbps: 3, untilS: 60 },
    bars: { queueP95Ms: 100, rampS: 4 },
  },
  {
    id: 'overshoot',
    title: 'an encoder that makes 1.3 times its target',
    seconds: 60,
    capacity: [[0, 3]],
    overshoot: 1.3,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
];

/** A value each second. */
function lteTrace(mbps: readonly number[]): Scenario['capacity'] {
  return mbps.map((value, second) => [second, value] as const);
}
