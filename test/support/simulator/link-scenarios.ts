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

/** Links that change, lose, delay and drop, with an ideal way back and an encoder that does what it is told. */
export const LINK_SCENARIOS: readonly Scenario[] = [
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
  ...([60, 100, 150] as const).map(
    (kbps): Scenario => ({
      id: `jitter_${kbps}k`,
      title: `jitter of 30 ms, ${kbps} kbit/s`,
      seconds: 60,
      capacity: [[0, kbps / 1000]],
      jitterMs: 30,
      startMbps: kbps / 1000,
      minMbps: 0.03,
      bars: { utilisationPct: 80, queueP95Ms: 100 },
    }),
  ),
  {
    id: 'wifi',
    title: 'packets in bunches of up to 15 ms',
    seconds: 60,
    capacity: [[0, 6]],
    aggregationMs: 15,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'delay_step',
    title: 'one-way delay of 50, 110 and 50 ms',
    seconds: 60,
    capacity: [[0, 3]],
    delaySteps: [
      [0, 0],
      [20, 60],
      [40, 0],
    ],
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'reordered',
    title: '5 % of the packets overtaken by 20 ms',
    seconds: 60,
    capacity: [[0, 3]],
    reorderedShare: 0.05,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'doubled',
    title: '5 % of the packets come twice',
    seconds: 60,
    capacity: [[0, 3]],
    doubledShare: 0.05,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'policer',
    title: 'a policer that lets bursts of 30 kB through',
    seconds: 60,
    capacity: [[0, 3]],
    policerBytes: 30_000,
    bars: { utilisationPct: 80 },
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
  ...([0.3, 2] as const).flatMap((lengthS) =>
    [false, true].map(
      (sfuFeedback): Scenario => ({
        id: `outage_${lengthS * 1000}${sfuFeedback ? '_sfu' : ''}`,
        title: `all is lost, both ways, for ${lengthS} s${sfuFeedback ? ', feedback of an SFU' : ''}`,
        seconds: 40,
        capacity: [[0, 3]],
        outagesS: [[20, 20 + lengthS]],
        sfuFeedback,
        ramp: { fromS: 20 + lengthS, mbps: 3, untilS: 40 },
        bars: { rampS: 1.5, queueP95Ms: 100 },
      }),
    ),
  ),
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
];

/** A value each second. */
function lteTrace(mbps: readonly number[]): Scenario['capacity'] {
  return mbps.map((value, second) => [second, value] as const);
}
