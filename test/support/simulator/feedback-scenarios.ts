import type { Scenario } from './scenario.js';

/** Receivers and ways back that are not what they should be. */
export const FEEDBACK_SCENARIOS: readonly Scenario[] = [
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
];
