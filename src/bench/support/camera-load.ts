import type { FrameReport } from '../../sender/stats/frame-report.js';
import type { BenchmarkContext } from '../benchmark.js';
import type { CameraRig } from './camera-rig.js';
import { assertGoesOn, pause } from './pause.js';
import { percentile } from './percentile.js';

/** More lost frames than that are the machine's fault, and not that of a moment. */
const TOLERATED_LOSS = 0.02;
const TOLERATED_FRAMES = 2;

/** How it went with so many cameras. */
export interface CameraLoad {
  /** Whether the machine kept up: hardly a frame was lost because an encoder, or this process, was too late for it. */
  readonly isSustained: boolean;
  /** Frames that each camera has sent, a second. */
  readonly fps: number;
  /** CPU time of the sending process, encoding included. */
  readonly cpuMsPerFrame: number;
  readonly encodeMsP99: number;
}

/** Has so many cameras run for some seconds. One that goes wrong is tried again, unless in a hurry: something else may have taken the cores. */
export async function measureLoad(
  rig: CameraRig,
  cameras: number,
  label: string,
  context: BenchmarkContext,
): Promise<CameraLoad> {
  const first = await measureOnce(rig, cameras, label, context);
  return first.isSustained || context.quick ? first : measureOnce(rig, cameras, `${label}, again`, context);
}

async function measureOnce(
  rig: CameraRig,
  cameras: number,
  label: string,
  context: BenchmarkContext,
): Promise<CameraLoad> {
  assertGoesOn(context.signal);
  rig.run(cameras);
  await pause(context.quick ? 0.5 : 1, label, context);
  const first = rig.reports.length;
  const skippedBefore = rig.skipped;
  const cpu = process.cpuUsage();
  const beganUs = rig.clock.nowUs();
  await pause(context.quick ? 1.5 : 3, label, context);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (rig.clock.nowUs() - beganUs) / 1e6;
  const reports = rig.reports.slice(first);
  const sent = reports.filter(({ outcome }) => outcome === 'sent');
  const lost = reports.filter(isTooLate).length + rig.skipped - skippedBefore;
  return {
    isSustained: sent.length > 0 && lost <= Math.max(TOLERATED_FRAMES, TOLERATED_LOSS * (reports.length + lost)),
    fps: sent.length / seconds / cameras,
    cpuMsPerFrame: (user + system) / 1000 / sent.length,
    encodeMsP99: percentile(sent.map(encodeTimeMs), 99),
  };
}

/** Whether the machine was too slow for a frame; what rate and congestion control leave out is no matter of its own. */
export function isTooLate(report: FrameReport): boolean {
  return report.outcome === 'dropped' && report.reason !== 'rate-control' && report.reason !== 'congestion';
}

/** From the moment the encode loop takes a frame to its chunk. */
export function encodeTimeMs({ encodedAtUs = 0, dequeuedAtUs = 0 }: FrameReport): number {
  return (encodedAtUs - dequeuedAtUs) / 1000;
}
