import type { CapacityStep } from './link.js';

/** A media flow of a scenario. */
export interface FlowPlan {
  readonly startS: number;
  /** Sends nothing from the first to the second time, in seconds. */
  readonly pauseS?: readonly [number, number];
  /** One-way delay of its own, in milliseconds, in place of the scenario's. */
  readonly oneWayMs?: number;
  /** Sends against the others, from the far end. @default false */
  readonly isReverse?: boolean;
}

/** What is to be true of a run: bounds of the figures of the same name. */
export interface Bars {
  readonly utilisationPct?: number;
  readonly queueP95Ms?: number;
  readonly queueMaxMs?: number;
  /** Of the last ten seconds before each change of capacity. */
  readonly steadyQueueP95Ms?: number;
  readonly lossPct?: number;
  readonly rampS?: number;
  readonly jain?: number;
  readonly tcpSharePct?: number;
  readonly resumeS?: number;
  readonly drainS?: number;
  readonly oldestSentMs?: number;
}

/** A link, who uses it and what is asked of them. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly seconds: number;
  /** Seconds and Mbit/s, from 0 on. */
  readonly capacity: readonly (readonly [number, number])[];
  /** Of the way back. @default 100 Mbit/s */
  readonly backCapacity?: readonly (readonly [number, number])[];
  /** @default 50 */
  readonly oneWayMs?: number;
  /** @default 300 */
  readonly queueMs?: number;
  readonly jitterMs?: number;
  /** In place of a queue, a policer that lets bursts of so many bytes through. */
  readonly policerBytes?: number;
  /** Seconds, and milliseconds that come to the one-way delay from then on. */
  readonly delaySteps?: readonly (readonly [number, number])[];
  /** So many packets are overtaken by 20 ms, 0 to 1. */
  readonly reorderedShare?: number;
  /** So many packets come twice, 0 to 1. */
  readonly doubledShare?: number;
  /** Packets come in bunches, each up to so much later than the one before. */
  readonly aggregationMs?: number;
  /** Each packet's, 0 to 1. */
  readonly lossShare?: number;
  readonly burstLoss?: boolean;
  /** Everything is lost, both ways, from the first to the second time of each, in seconds. */
  readonly outagesS?: readonly (readonly [number, number])[];
  /** Of the way back. */
  readonly feedbackLossShare?: number;
  /** Seconds, and milliseconds by which feedback comes later from then on. */
  readonly feedbackDelaySteps?: readonly (readonly [number, number])[];
  /** So many feedback messages are overtaken by 20 ms, 0 to 1. */
  readonly feedbackReorderedShare?: number;
  /** The receiver gives feedback as SFUs of the ion-sfu family do: about more than 20 packets, or never. @default as libwebrtc does */
  readonly sfuFeedback?: boolean;
  readonly driftPpm?: number;
  /** Whether sequence numbers begin near their end, and the receiver's clock wraps after 30 s. */
  readonly wraps?: boolean;
  /** In Mbit/s. @default 0.3 */
  readonly startMbps?: number;
  /** Of each flow, in Mbit/s. @default 0.05 */
  readonly minMbps?: number;
  /** Of each flow, in Mbit/s. @default 20 */
  readonly maxMbps?: number;
  readonly overshoot?: number;
  /** Whether timers ring up to so much late, and the pacer catches up with that, as in the sender. @default 0 */
  readonly lateTimersMs?: number;
  /** What the encoder makes whatever it is asked for, in Mbit/s. @default what it is asked for */
  readonly stubbornMbps?: number;
  /** What the scene has to show from a second on, in Mbit/s. */
  readonly content?: readonly (readonly [number, number])[];
  /** @default one, from the start */
  readonly flows?: readonly FlowPlan[];
  readonly tcp?: 'long' | 'short';
  /** When the ramp begins, the rate whose share it is to reach, in Mbit/s, and until when it may. */
  readonly ramp?: { readonly fromS: number; readonly mbps: number; readonly untilS: number };
  /** When a fall of capacity begins whose queue is to be drained, and until when that is watched. */
  readonly drain?: { readonly fromS: number; readonly untilS: number };
  readonly bars: Bars;
}

export function capacitySteps(steps: Scenario['capacity']): readonly CapacityStep[] {
  return steps.map(([atS, mbps]) => ({ atUs: atS * 1_000_000, bps: mbps * 1_000_000 }));
}

/** The value of a step table at a time. */
export function valueAt(steps: readonly (readonly [number, number])[], atS: number): number {
  return steps.findLast(([fromS]) => fromS <= atS)?.[1] ?? 0;
}
