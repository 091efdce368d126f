import type { Benchmark, BenchmarkContext } from '../src/bench/benchmark.js';
import { type CameraRig, type RigInit, startRig } from '../src/bench/support/camera-rig.js';
import { pause } from '../src/bench/support/pause.js';
import { percentile } from '../src/bench/support/percentile.js';
import { drawPictures } from '../src/bench/support/replayed-camera.js';
import { withSfu } from '../src/bench/support/sfu-process.js';
import type { VideoEncoderFactory } from '../src/encoder/encoder.js';
import { NodeAvEncoderFactory } from '../src/encoder/node-av/node-av-encoder-factory.js';
import type { EncoderSwapped } from '../src/sender/sender-events.js';
import type { FrameReport } from '../src/sender/stats/frame-report.js';
import { slowOpeningEncoders } from './support/slow-opening-encoders.js';

const TRACKS = 4;
const FRAMERATE = 30;
const FRAME_INTERVAL_US = 1e6 / FRAMERATE;
const WARM_UP_S = 3;
const SWAPS_QUICK = 100;
const SWAPS = 400;
const SLOW_SWAPS_QUICK = 40;
const SLOW_SWAPS = 200;
/** About what VP9 takes to open. */
const SLOW_OPEN_MS = 160;
/** Odd against the frame interval, so that swaps meet every phase of the encode cycle. */
const BETWEEN_SWAPS_MS = 107;

interface SwapWindow {
  readonly trackId: string;
  readonly fromUs: number;
  readonly toUs: number;
}

/** Encoder swaps under load, each track in turn: with encoders that open at once, and with encoders that take their time. */
export const swap: Benchmark = {
  name: 'swap',
  summary: 'encoder swaps while 4 VP8 tracks run at 1280x720, 30 fps: lock times, and frames that a swap costs',
  run: (context) =>
    withSfu(async ({ whipUrl }) => {
      const init = { whipUrl, tracks: TRACKS, framerate: FRAMERATE, drawn: drawPictures(context.progress) };
      const fast = await measure(context.quick ? SWAPS_QUICK : SWAPS, init, context);
      const encoders = slowOpeningEncoders(new NodeAvEncoderFactory(), SLOW_OPEN_MS);
      const slow = await measure(context.quick ? SLOW_SWAPS_QUICK : SLOW_SWAPS, init, context, encoders);
      return {
        ...fast,
        ...Object.fromEntries(Object.entries(slow).map(([name, value]) => [`slow_open_${name}`, value])),
      };
    }),
};

async function measure(swaps: number, init: RigInit, context: BenchmarkContext, encoders?: VideoEncoderFactory) {
  const rig = await startRig(init, encoders === undefined ? {} : { encoders });
  try {
    await pause(WARM_UP_S, 'warming up', context);
    const first = rig.reports.length;
    const timings: EncoderSwapped[] = [];
    rig.sender.on('encoderSwapped', (event) => void timings.push(event));
    const windows = await runSwaps(rig, swaps, context.progress);
    await pause(1, 'draining', context);
    return figures(timings, windows, rig.reports.slice(first));
  } finally {
    await rig.close();
  }
}

async function runSwaps(
  rig: CameraRig,
  swaps: number,
  progress: (text: string) => void,
): Promise<readonly SwapWindow[]> {
  const windows: SwapWindow[] = [];
  for (let index = 0; index < swaps; index += 1) {
    if (index % 10 === 0) progress(`swapping ${index}/${swaps}`);
    const trackId = rig.trackIds[index % TRACKS] ?? '';
    const fromUs = rig.clock.nowUs();
    await rig.sender.recreateEncoder(trackId);
    windows.push({ trackId, fromUs, toUs: rig.clock.nowUs() });
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_SWAPS_MS));
  }
  return windows;
}

/** A lost frame is put down to a swap if it was captured from one interval before its start to one after its end. */
function figures(timings: readonly EncoderSwapped[], windows: readonly SwapWindow[], reports: readonly FrameReport[]) {
  const lost = reports.filter(({ outcome }) => outcome === 'dropped');
  const lostDuring = (window: SwapWindow, swappedTrack: boolean) =>
    lost.filter(
      ({ trackId, timestamp }) =>
        (trackId === window.trackId) === swappedTrack &&
        timestamp >= window.fromUs - FRAME_INTERVAL_US &&
        timestamp <= window.toUs + FRAME_INTERVAL_US,
    );
  const holdMs = timings.map(({ exclusiveHoldUs }) => exclusiveHoldUs / 1000);
  const waitMs = timings.map(({ waitUs }) => waitUs / 1000);
  const others = new Set(windows.flatMap((window) => lostDuring(window, false)));
  const gaps = windows.map((window) => lostDuring(window, true).length);
  return {
    swap_exclusive_hold_ms_p50: percentile(holdMs, 50),
    swap_exclusive_hold_ms_p99: percentile(holdMs, 99),
    swap_wait_ms_p99: percentile(waitMs, 99),
    swap_total_ms_p50: percentile(
      windows.map(({ fromUs, toUs }) => (toUs - fromUs) / 1000),
      50,
    ),
    swapped_track_gap_frames_max: Math.max(...gaps),
    other_tracks_missed_frames: others.size,
    lost_frames_total: lost.length,
    frames_total: reports.length,
    swaps: timings.length,
  };
}
