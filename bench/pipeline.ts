import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FrameReport } from '../src/sender/stats/frame-report.js';
import type { Benchmark, BenchmarkContext } from './benchmark.js';
import { startRig } from './support/camera-rig.js';
import { pause } from './support/pause.js';
import { percentile } from './support/percentile.js';
import { drawPictures } from './support/replayed-camera.js';

/** Encoders settle and code is compiled during the first seconds. */
const WARM_UP_S = 3;
/** Frame rates tried in turn until the machine keeps up. */
const FRAMERATES = [30, 20, 15, 10] as const;
/** A run in which more frames than this are lost measures an overloaded machine, not the pipeline. */
const TOLERATED_LOSS = 0.02;

/** From `sendFrame` to the last packet at the socket, and what of it is not encoding. */
export const pipeline: Benchmark = {
  name: 'pipeline',
  summary: 'sendFrame to the last packet at the socket: 1 and 4 VP8 tracks, 1280x720, 30 fps, 1.5 Mbit/s each',
  async run(context) {
    const pictures = drawPictures(context.progress);
    const one = await measureSettled(1, pictures, context);
    const four = await measureSettled(4, pictures, context);
    return { ...four, ...Object.fromEntries(Object.entries(one).map(([name, value]) => [`one_track_${name}`, value])) };
  },
};

async function measureSettled(
  tracks: number,
  pictures: readonly Uint8Array[],
  context: BenchmarkContext,
): Promise<Record<string, number>> {
  for (const framerate of FRAMERATES) {
    const { lossRatio, metrics } = await measure(tracks, framerate, pictures, context);
    if (lossRatio <= TOLERATED_LOSS || framerate === FRAMERATES.at(-1)) {
      if (framerate !== FRAMERATES[0])
        context.note(`${tracks} track(s): lowered to ${framerate} fps, this machine cannot do more`);
      return { ...metrics, framerate };
    }
    context.note(
      `${tracks} track(s) at ${framerate} fps: ${(lossRatio * 100).toFixed(1)} % of the frames lost, trying less`,
    );
  }
  throw new Error('unreachable: the lowest frame rate is always accepted');
}

async function measure(tracks: number, framerate: number, pictures: readonly Uint8Array[], context: BenchmarkContext) {
  const rig = await startRig(tracks, framerate, pictures);
  try {
    const label = `${tracks} track(s) at ${framerate} fps:`;
    await pause(WARM_UP_S, `${label} warming up`, context.progress);
    const first = rig.reports.length;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const cpu = process.cpuUsage();
    delay.enable();
    await pause(context.quick ? 8 : 30, `${label} measuring`, context.progress);
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    const reports = rig.reports.slice(first);
    const sent = reports.filter((report) => report.outcome === 'sent');
    const encodeMs = sent.map(encodeTimeMs);
    const overheadMs = sent.map(
      (report, index) => ((report.sentAtUs ?? 0) - report.acceptedAtUs) / 1000 - (encodeMs[index] ?? 0),
    );
    return {
      lossRatio: 1 - sent.length / reports.length,
      metrics: {
        encode_ms_p50: percentile(encodeMs, 50),
        encode_ms_p99: percentile(encodeMs, 99),
        pipeline_overhead_ms_p50: percentile(overheadMs, 50),
        pipeline_overhead_ms_p99: percentile(overheadMs, 99),
        cpu_ms_per_frame: (user + system) / 1000 / sent.length,
        event_loop_delay_ms_p99: delay.percentile(99) / 1e6,
        lost_frames_pct: 100 * (1 - sent.length / reports.length),
        frames: sent.length,
      },
    };
  } finally {
    await rig.close();
  }
}

function encodeTimeMs(report: FrameReport): number {
  return ((report.encodedAtUs ?? 0) - (report.dequeuedAtUs ?? 0)) / 1000;
}
