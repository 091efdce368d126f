import type { RealCamera } from './camera.js';

/** What native libwebrtc came to on such links, measured elsewhere; `congestion-real-native` measures it on this machine. */
export type NativeFigures = Readonly<Record<string, string>>;

/** The camera that is driven by, two beside it, and one that can be done without. */
export const FOUR_CAMERAS: readonly RealCamera[] = [
  { id: 'front', share: { weight: 3, minBps: 300_000, priorityClass: 2, enforceMinimum: true } },
  { id: 'left', share: { minBps: 150_000, priorityClass: 1 } },
  { id: 'right', share: { minBps: 150_000, priorityClass: 1 } },
  { id: 'rear', share: { minBps: 150_000 } },
].map((camera) => ({ ...camera, width: 640, height: 360, framerate: 30 }));

/** A link that changes, and what is looked at. */
export interface RealScenario {
  readonly id: string;
  readonly title: string;
  readonly seconds: number;
  /** Seconds and Mbit/s, from 0 on. */
  readonly capacity: readonly (readonly [atS: number, mbps: number])[];
  readonly oneWayMs: number;
  /** How long a full queue takes to empty. */
  readonly queueMs: number;
  /** Of the packets, 0 to 1. @default 0 */
  readonly lossShare?: number;
  /** When the link becomes larger, the rate that is to be reached, in Mbit/s, and until when that is watched. */
  readonly ramp?: { readonly fromS: number; readonly mbps: number; readonly untilS: number };
  /** When the link becomes smaller and its queue is to be drained, and until when that is watched. */
  readonly drain?: { readonly fromS: number; readonly untilS: number };
  /** The first is the one that is driven by. @default one */
  readonly cameras?: readonly RealCamera[];
  readonly native: NativeFigures;
}

/** With `--quick` all times are this many times shorter, those of the links and those that are watched. */
const QUICK_DIVISOR = 8;

export const REAL_SCENARIOS: readonly RealScenario[] = [
  {
    id: 'real_rfc8867_5_1',
    title: 'RFC 8867 5.1, variable capacity: 1, 2.5, 0.6 and 1 Mbit/s',
    seconds: 100,
    capacity: [
      [0, 1],
      [40, 2.5],
      [60, 0.6],
      [80, 1],
    ],
    oneWayMs: 50,
    queueMs: 300,
    ramp: { fromS: 40, mbps: 2.5, untilS: 60 },
    drain: { fromS: 60, untilS: 80 },
    native: {
      utilisation_pct: '73-78',
      ramp_s: '15-19',
      drain_s: '3',
      freeze_ms_max: '3200',
      latency_ms_p99: '210-226',
    },
  },
  {
    id: 'real_drop_5x',
    title: '5x drop and recovery: 4, 0.8 and 4 Mbit/s',
    seconds: 60,
    capacity: [
      [0, 4],
      [15, 0.8],
      [30, 4],
    ],
    oneWayMs: 25,
    queueMs: 300,
    ramp: { fromS: 30, mbps: 4, untilS: 60 },
    drain: { fromS: 15, untilS: 30 },
    native: { ramp_s: '22', freeze_ms_max: '3600' },
  },
  {
    id: 'real_loss_10',
    title: '10 % of the packets lost at random, 3 Mbit/s',
    seconds: 40,
    capacity: [[0, 3]],
    oneWayMs: 50,
    queueMs: 300,
    lossShare: 0.1,
    native: { utilisation_pct: '34-43' },
  },
  {
    id: 'real_four_cameras',
    title: 'four cameras with priorities: 8, 0.8 and 8 Mbit/s',
    seconds: 60,
    capacity: [
      [0, 8],
      [20, 0.8],
      [35, 8],
    ],
    oneWayMs: 25,
    queueMs: 300,
    ramp: { fromS: 35, mbps: 8, untilS: 60 },
    drain: { fromS: 20, untilS: 35 },
    cameras: FOUR_CAMERAS,
    native: {},
  },
];

export function quick(scenario: RealScenario): RealScenario {
  const shorter = (atS: number): number => atS / QUICK_DIVISOR;
  const { seconds, capacity, ramp, drain } = scenario;
  return {
    ...scenario,
    seconds: shorter(seconds),
    capacity: capacity.map(([atS, mbps]) => [shorter(atS), mbps]),
    ...(ramp && { ramp: { ...ramp, fromS: shorter(ramp.fromS), untilS: shorter(ramp.untilS) } }),
    ...(drain && { drain: { fromS: shorter(drain.fromS), untilS: shorter(drain.untilS) } }),
  };
}

/** What the link can carry from 0 until a time, in bits. */
export function capacityBits({ capacity }: RealScenario, untilS: number): number {
  return capacity.reduce((bits, [fromS, mbps], index) => {
    const toS = Math.min(untilS, capacity[index + 1]?.[0] ?? untilS);
    return bits + mbps * 1e6 * Math.max(0, toS - fromS);
  }, 0);
}
