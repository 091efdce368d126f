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
  {
    id: 'feedback_late',
    title: 'feedback that comes 300 ms later for 20 s, every tenth message overtaken',
    seconds: 60,
    capacity: [[0, 3]],
    feedbackDelaySteps: [
      [0, 0],
      [20, 300],
      [40, 0],
    ],
    feedbackReorderedShare: 0.1,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  ...([0.1, 3] as const).map(
    (mbps): Scenario => ({
      id: `feedback_sfu_${mbps * 1000}k`,
      title: `an SFU that says nothing of 20 packets or fewer, ${mbps} Mbit/s`,
      seconds: 60,
      capacity: [[0, mbps]],
      sfuFeedback: true,
      bars: { utilisationPct: 80, queueP95Ms: 100 },
    }),
  ),
  {
    id: 'wraps',
    title: "sequence numbers and the receiver's clock wrap",
    seconds: 60,
    capacity: [[0, 3]],
    wraps: true,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
];
