import { GoogCc } from '../../../src/congestion/goog-cc.js';
import { CameraFlow, type RunningCamera } from './camera-flow.js';
import { Chance } from './chance.js';
import { Events } from './events.js';
import { farSide } from './far-side.js';
import { FlowRecord } from './flow-record.js';
import { Link } from './link.js';
import { capacitySteps } from './scenario.js';
import { SyntheticEncoder } from './synthetic-encoder.js';

const FRAMERATE = 30;
const ONE_WAY_US = 50_000;
const QUEUE_US = 300_000;

/** Seconds: the link falls, comes back, and the run ends. */
export const FALL_S = 20;
export const RETURN_S = 40;
export const END_S = 70;
const CAPACITY = [
  [0, 8],
  [FALL_S, 0.8],
  [RETURN_S, 8],
] as const;

/** The first is driven by. After the fall there is room for the minimums of three. */
const CAMERAS = [
  { id: 'driving', weight: 3, minBps: 300_000, maxBps: 4_000_000, priorityClass: 3, enforceMinimum: true },
  { id: 'rear', weight: 1, minBps: 150_000, maxBps: 2_000_000, priorityClass: 2 },
  { id: 'left', weight: 1, minBps: 100_000, maxBps: 2_000_000, priorityClass: 1 },
  { id: 'arm', weight: 1, minBps: 250_000, maxBps: 2_000_000, priorityClass: 0 },
] as const;

/** Four cameras on a link that falls to a tenth and comes back. The same seed, the same run. */
export function runFourCameras(seed: number): {
  readonly cameras: readonly RunningCamera[];
  readonly record: FlowRecord;
} {
  const events = new Events();
  const chance = new Chance(seed);
  const record = new FlowRecord();
  const link = (capacity: readonly (readonly [number, number])[]): Link =>
    new Link({ events, chance, capacity: capacitySteps(capacity), delayUs: 0, queueUs: QUEUE_US });
  const flow = new CameraFlow({
    events,
    forward: farSide(events, chance, link(CAPACITY), { delayUs: ONE_WAY_US }),
    back: farSide(events, chance, link([[0, 100]]), { delayUs: ONE_WAY_US }),
    controller: new GoogCc({ startBps: 1_000_000, minBps: 50_000, maxBps: 20_000_000 }),
    record,
    framerate: FRAMERATE,
    cameras: CAMERAS.map((demand, priority) => ({
      demand,
      priority,
      encoder: new SyntheticEncoder({ chance, framerate: FRAMERATE }),
    })),
  });
  events.runUntil(END_S * 1_000_000);
  return { cameras: flow.cameras, record };
}
