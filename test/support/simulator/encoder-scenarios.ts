import type { Scenario } from './scenario.js';

/** Encoders and scenes that are not what the controller would like. */
export const ENCODER_SCENARIOS: readonly Scenario[] = [
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
    id: 'pause',
    title: 'a pause of 20 s',
    seconds: 60,
    capacity: [[0, 3]],
    flows: [{ startS: 0, pauseS: [20, 40] }],
    bars: { queueP95Ms: 100, resumeS: 3, lossPct: 1 },
  },
  {
    id: 'overshoot',
    title: 'an encoder that makes 1.3 times its target',
    seconds: 60,
    capacity: [[0, 3]],
    overshoot: 1.3,
    bars: { utilisationPct: 80, queueP95Ms: 100 },
  },
  {
    id: 'late_timers',
    title: '2 to 10 Mbit/s at once, timers up to 20 ms late',
    seconds: 50,
    capacity: [
      [0, 10],
      [15, 2],
      [30, 10],
    ],
    oneWayMs: 25,
    startMbps: 2,
    lateTimersMs: 20,
    ramp: { fromS: 30, mbps: 10, untilS: 50 },
    drain: { fromS: 15, untilS: 30 },
    bars: { rampS: 4, drainS: 1.5, queueP95Ms: 100, lossPct: 1 },
  },
  ...([300, 1000, 2000] as const).map(
    (queueMs): Scenario => ({
      id: `stubborn_${queueMs}`,
      title: `an encoder that makes 2.2 Mbit/s whatever it is asked for, 8 to 0.5 Mbit/s at once, queue of ${queueMs} ms`,
      seconds: 40,
      capacity: [
        [0, 8],
        [20, 0.5],
      ],
      queueMs,
      startMbps: 2,
      stubbornMbps: 2.2,
      drain: { fromS: 20, untilS: 40 },
      bars: { drainS: 2.5, queueP95Ms: 100, lossPct: 2 },
    }),
  ),
];
