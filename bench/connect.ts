import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Benchmark } from '../src/bench/benchmark.js';
import { openResources } from '../src/bench/support/open-resources.js';
import { percentile } from '../src/bench/support/percentile.js';
import { type DrawnPictures, drawPictures, ReplayedCamera } from '../src/bench/support/replayed-camera.js';
import { startSfuProcess } from '../src/bench/support/sfu-process.js';
import { SystemClock } from '../src/core/clock.js';
import { createSender } from '../src/service/create-sender.js';
import { WhipSignaller } from '../src/signalling/whip/whip-signaller.js';
import { WrtcViewer } from '../test/loopback/wrtc-clients.js';

const CYCLES_QUICK = 40;
const CYCLES = 200;
/** Before leaks are counted: what is made once has been made. */
const WARM_UP_CYCLES = 20;
const FIRST_FRAMES_QUICK = 5;
const FIRST_FRAMES = 25;
const FRAMERATE = 30;
/** Sockets that the machine keeps for a moment after they were closed. */
const SETTLE_MS = 2000;

const clock = new SystemClock();

/** Connecting and closing in a row, and how soon a viewer has a picture. */
export const connect: Benchmark = {
  name: 'connect',
  summary:
    'connects to an SFU in another process and closes, in a row: times, leaks, and when a viewer has its first picture',
  async run({ quick, progress }) {
    const sfu = await startSfuProcess();
    try {
      const cycles = await measureCycles(sfu.whipUrl, quick ? CYCLES_QUICK : CYCLES, progress);
      const firstFrames = await measureFirstFrames(sfu.whipUrl, quick ? FIRST_FRAMES_QUICK : FIRST_FRAMES, progress);
      return { ...cycles, ...firstFrames };
    } finally {
      await sfu.close();
    }
  },
};

async function measureCycles(url: string, cycles: number, progress: (text: string) => void) {
  for (let cycle = 0; cycle < WARM_UP_CYCLES; cycle += 1) await connectAndClose(url);
  const before = await settled();
  const connectMs: number[] = [];
  const closeMs: number[] = [];
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    progress(`cycle ${cycle + 1}/${cycles}`);
    const times = await connectAndClose(url);
    connectMs.push(times.connectMs);
    closeMs.push(times.closeMs);
  }
  const after = await settled();
  return {
    cycles,
    connect_p50_ms: percentile(connectMs, 50),
    connect_p99_ms: percentile(connectMs, 99),
    connect_max_ms: Math.max(...connectMs),
    close_p50_ms: percentile(closeMs, 50),
    close_p99_ms: percentile(closeMs, 99),
    heap_growth_per_cycle_kb: (after.heapBytes - before.heapBytes) / cycles / 1000,
    resources_left: after.resources - before.resources,
  };
}

async function connectAndClose(url: string): Promise<{ readonly connectMs: number; readonly closeMs: number }> {
  const sender = createSender({ clock, checkLocks: false });
  await sender.addEncodedVideoTrack({ id: 'front', codec: 'vp8' });
  const startUs = clock.nowUs();
  await sender.connect(new WhipSignaller({ url, clock }));
  const connectedUs = clock.nowUs();
  await sender.close();
  return { connectMs: (connectedUs - startUs) / 1000, closeMs: (clock.nowUs() - connectedUs) / 1000 };
}

/** What is in use once everything that is over has gone. */
async function settled(): Promise<{ readonly heapBytes: number; readonly resources: number }> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  // The HTTP client keeps connections open for a while, for reuse; each is a descriptor and a handle.
  const resources = [...openResources()].filter(([kind]) => !kind.includes('TCP') && !kind.includes('socket'));
  const udp = openResources().get('UDPWrap') ?? 0;
  return {
    heapBytes: process.memoryUsage().heapUsed,
    resources: resources.reduce((sum, [, count]) => sum + count, 0) + udp,
  };
}

/** From the call of `connect` to the first picture that a viewer decodes, who has been waiting. */
async function measureFirstFrames(whipUrl: string, times: number, progress: (text: string) => void) {
  const drawn = drawPictures(progress);
  const viewer = await new WrtcViewer(1).view(whipUrl.replace('/whip/', '/whep/'));
  const firstFrameMs: number[] = [];
  try {
    for (let time = 0; time < times; time += 1) {
      progress(`first picture ${time + 1}/${times}`);
      firstFrameMs.push(await measureFirstFrame(whipUrl, viewer, drawn));
    }
  } finally {
    viewer.close();
  }
  return { first_frame_p50_ms: percentile(firstFrameMs, 50), first_frame_max_ms: Math.max(...firstFrameMs) };
}

async function measureFirstFrame(url: string, viewer: WrtcViewer, drawn: DrawnPictures): Promise<number> {
  const sender = createSender({ clock, checkLocks: false });
  await sender.addVideoTrack({ id: 'front', width: drawn.width, height: drawn.height, framerate: FRAMERATE });
  const camera = new ReplayedCamera({
    drawn,
    framerate: FRAMERATE,
    clock,
    deliver: (frame) => sender.sendFrame('front', frame),
  });
  camera.start(0);
  const before = viewer.frames[0] ?? 0;
  const startUs = clock.nowUs();
  try {
    await sender.connect(new WhipSignaller({ url, clock }));
    while ((viewer.frames[0] ?? 0) === before) await new Promise((resolve) => setTimeout(resolve, 2));
    return (clock.nowUs() - startUs) / 1000;
  } finally {
    camera.stop();
    await sender.close();
  }
}
