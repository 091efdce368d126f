import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Benchmark, BenchmarkContext, Metrics } from '../src/bench/benchmark.js';
import { encodeTimeMs } from '../src/bench/support/camera-load.js';
import { type RigInit, startRig } from '../src/bench/support/camera-rig.js';
import { pause } from '../src/bench/support/pause.js';
import { percentile } from '../src/bench/support/percentile.js';
import { drawPictures } from '../src/bench/support/replayed-camera.js';
import { withSfu } from '../src/bench/support/sfu-process.js';
import { atSustainedFramerate } from '../src/bench/support/sustained-framerate.js';

/** Encoders settle and code is compiled during the first seconds. */
const WARM_UP_S = 3;
/** From `sendFrame` to the last packet at the socket, and what of it is not encoding. */
export const pipeline: Benchmark = {
  name: 'pipeline',
  summary: 'sendFrame to the last packet at the socket: 1 and 4 VP8 tracks, 1280x720, 30 fps, 1.5 Mbit/s each',
  run: (context) =>
    withSfu(async ({ whipUrl }) => {
      const drawn = drawPictures(context.progress);
      const measureSettled = (tracks: number) =>
        atSustainedFramerate(`${tracks} track(s)`, context, (framerate) =>
          measure({ whipUrl, tracks, framerate, drawn }, context),
        );
      const one = await measureSettled(1);
      const four = await measureSettled(4);
      return {
        ...four,
        ...Object.fromEntries(Object.entries(one).map(([name, value]) => [`one_track_${name}`, value])),
      };
    }),
};

async function measure(init: RigInit, context: BenchmarkContext): Promise<Metrics> {
  const rig = await startRig(init);
  try {
    const label = `${init.tracks} track(s) at ${init.framerate} fps:`;
    await pause(WARM_UP_S, `${label} warming up`, context);
    const first = rig.reports.length;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const cpu = process.cpuUsage();
    delay.enable();
    await pause(context.quick ? 8 : 30, `${label} measuring`, context);
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    const reports = rig.reports.slice(first);
    const sent = reports.filter((report) => report.outcome === 'sent');
    const encodeMs = sent.map(encodeTimeMs);
    const overheadMs = sent.map(
      (report, index) => ((report.sentAtUs ?? 0) - report.acceptedAtUs) / 1000 - (encodeMs[index] ?? 0),
    );
    return {
      encode_ms_p50: percentile(encodeMs, 50),
      encode_ms_p99: percentile(encodeMs, 99),
      pipeline_overhead_ms_p50: percentile(overheadMs, 50),
      pipeline_overhead_ms_p99: percentile(overheadMs, 99),
      cpu_ms_per_frame: (user + system) / 1000 / sent.length,
      event_loop_delay_ms_p99: delay.percentile(99) / 1e6,
      lost_frames_pct: 100 * (1 - sent.length / reports.length),
      frames: sent.length,
    };
  } finally {
    await rig.close();
  }
}
