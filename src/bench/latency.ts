import { monitorEventLoopDelay } from 'node:perf_hooks';
import { rtpTimestamp } from '../rtp/media-time.js';
import type { FrameReport } from '../sender/stats/frame-report.js';
import type { Benchmark, BenchmarkContext, FigureTable, Metrics } from './benchmark.js';
import { isTooLate } from './support/camera-load.js';
import { startRig } from './support/camera-rig.js';
import { pause } from './support/pause.js';
import { percentile } from './support/percentile.js';
import { type DrawnPictures, drawPictures } from './support/replayed-camera.js';
import { type FrameArrival, type SfuProcess, withSfu } from './support/sfu-process.js';
import { atSustainedFramerate } from './support/sustained-framerate.js';

const VIDEO_CLOCK_HZ = 90_000;
/** Encoders and the congestion control settle. */
const WARM_UP_S = 2;
/** For what is on its way. */
const DRAIN_S = 0.3;
/** What the monitor of the event loop sleeps between two looks is in its figures, and delays nobody. */
const MONITOR_SLEEP_MS = 1;
const STAGES = ['mailbox', 'encode', 'pacer', 'network', 'arrived'] as const;
const PERCENTILES = [50, 95, 99] as const;
const SINGLE = 'one_track_';

/** When a frame was where, in milliseconds: how long each stage took, and all of them. */
type Stages = Readonly<Record<(typeof STAGES)[number], number>>;

/** From the camera to the SFU. */
export const latency: Benchmark = {
  name: 'latency',
  summary:
    'from the frame to the SFU on this machine, by stage, with congestion control: 1 and 4 VP8 cameras of 1280x720',
  table: latencyTable,
  run: (context) =>
    withSfu(async (sfu) => {
      const drawn = drawPictures(context.progress);
      const measureSettled = (tracks: number): Promise<Metrics> =>
        atSustainedFramerate(labelOf(tracks), context, (framerate) => measure(tracks, framerate, drawn, sfu, context));
      const one = await measureSettled(1);
      const four = await measureSettled(4);
      return { ...four, ...Object.fromEntries(Object.entries(one).map(([name, value]) => [SINGLE + name, value])) };
    }),
};

function labelOf(tracks: number): string {
  return tracks === 1 ? '1 camera' : `${tracks} cameras`;
}

async function measure(
  tracks: number,
  framerate: number,
  drawn: DrawnPictures,
  sfu: SfuProcess,
  context: BenchmarkContext,
): Promise<Metrics> {
  const rig = await startRig({ whipUrl: sfu.whipUrl, tracks, framerate, drawn }, { congestionControl: 'goog-cc' });
  try {
    const label = `${labelOf(tracks)} at ${framerate} fps:`;
    // The loopback carries more than anybody measures by.
    rig.sender.updateBitrate(rig.sender.getStats().targetBitrate);
    await pause(WARM_UP_S, `${label} warming up`, context);
    const first = rig.reports.length;
    await sfu.watch();
    const delay = monitorEventLoopDelay({ resolution: MONITOR_SLEEP_MS });
    delay.enable();
    await pause(context.quick ? 5 : 30, `${label} measuring`, context);
    delay.disable();
    const reports = rig.reports.slice(first);
    await pause(DRAIN_S, `${label} draining`, context);
    const frames = stagesOf(reports, await sfu.arrivals());
    const times = STAGES.flatMap((stage) =>
      PERCENTILES.map((p) => {
        const samples = frames.map((frame) => frame[stage]);
        return [`${stage}_ms_p${p}`, percentile(samples, p)] as const;
      }),
    );
    return {
      ...Object.fromEntries(times),
      event_loop_delay_ms_p99: delay.percentile(99) / 1e6 - MONITOR_SLEEP_MS,
      lost_frames_pct: percentOf(reports, isTooLate),
      held_back_frames_pct: percentOf(reports, (report) => report.outcome === 'dropped' && !isTooLate(report)),
      frames: frames.length,
    };
  } finally {
    await rig.close();
  }
}

/** Of the frames that were sent and have arrived. */
export function stagesOf(reports: readonly FrameReport[], arrivals: readonly FrameArrival[]): readonly Stages[] {
  const keyOf = (trackId: string, timestamp: number): string => `${timestamp} ${trackId}`;
  const arrivedAtUs = new Map(arrivals.map(({ trackId, rtpTimestamp, atUs }) => [keyOf(trackId, rtpTimestamp), atUs]));
  return reports.flatMap((report) => {
    const { trackId, timestamp, acceptedAtUs, dequeuedAtUs, encodedAtUs, sentAtUs } = report;
    const atUs = arrivedAtUs.get(keyOf(trackId, rtpTimestamp(timestamp, VIDEO_CLOCK_HZ)));
    if (atUs === undefined || dequeuedAtUs === undefined || encodedAtUs === undefined || sentAtUs === undefined)
      return [];
    return [
      {
        mailbox: (dequeuedAtUs - acceptedAtUs) / 1000,
        encode: (encodedAtUs - dequeuedAtUs) / 1000,
        pacer: (sentAtUs - encodedAtUs) / 1000,
        network: (atUs - sentAtUs) / 1000,
        arrived: (atUs - timestamp) / 1000,
      },
    ];
  });
}

function percentOf(reports: readonly FrameReport[], is: (report: FrameReport) => boolean): number {
  return (100 * reports.filter(is).length) / reports.length;
}

function latencyTable(metrics: Metrics): FigureTable {
  const rowOf = (prefix: string, stage: (typeof STAGES)[number]): readonly string[] => {
    const tracks = prefix === '' ? 4 : 1;
    const figures = PERCENTILES.map((p) => `${(metrics[`${prefix}${stage}_ms_p${p}`] ?? Number.NaN).toFixed(2)} ms`);
    return [`${labelOf(tracks)} at ${metrics[`${prefix}framerate`]} fps`, stage, ...figures];
  };
  return {
    columns: [
      { title: 'cameras', align: 'left' },
      { title: 'stage', align: 'left' },
      ...PERCENTILES.map((p) => ({ title: `p${p}`, align: 'right' as const })),
    ],
    rows: [SINGLE, ''].flatMap((prefix) => STAGES.map((stage) => rowOf(prefix, stage))),
  };
}
