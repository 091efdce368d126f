import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { BenchmarkContext } from '../../src/bench/benchmark.js';
import { startRig } from '../../src/bench/support/camera-rig.js';
import { pause } from '../../src/bench/support/pause.js';
import { percentile } from '../../src/bench/support/percentile.js';
import { drawPictures } from '../../src/bench/support/replayed-camera.js';
import { withSfu } from '../../src/bench/support/sfu-process.js';
import { SystemClock } from '../../src/core/clock.js';
import { createWeriftTransportFactory } from '../../src/transport/werift/werift-transport-factory.js';

const TRACKS = 4;
/** What four cameras of this size leave a machine with two cores room for. */
const FRAMERATE = 10;
/** Code is compiled meanwhile, some of it only once there was feedback for a while. */
const WARM_UP_S = 8;
/** What the monitor of the event loop sleeps between two looks is in its figures, and delays nobody. */
const MONITOR_SLEEP_MS = 1;

/**
 * How long it takes from feedback of the peer to the targets of every track, which their encoders have with the next frame: four cameras with real encoders,
 * an SFU in another process that gives feedback. All of it counts, also what changes no target, since the decision is made all the same. Timed from when the socket's datagram is handed to this process's code; for what it waits for
 * before that, the delay of the event loop is measured in the same seconds and added, percentile to percentile, which can only be too much.
 */
export function measureFeedbackLatency(context: BenchmarkContext): Promise<Record<string, number>> {
  return withSfu(({ whipUrl }) => measure(whipUrl, context));
}

async function measure(whipUrl: string, context: BenchmarkContext): Promise<Record<string, number>> {
  const samplesMs: number[] = [];
  const clock = new SystemClock();
  const werift = createWeriftTransportFactory({ clock });
  let feedbacks = (): number => 0;
  const init = { whipUrl, tracks: TRACKS, framerate: FRAMERATE, drawn: drawPictures(context.progress) };
  const rig = await startRig(init, {
    clock,
    congestionControl: 'goog-cc',
    transport: (observer, iceServers) =>
      werift(
        {
          ...observer,
          rtcp: (compound) => {
            const before = feedbacks();
            const beganMs = performance.now();
            observer.rtcp(compound);
            const elapsedMs = performance.now() - beganMs;
            if (feedbacks() > before) samplesMs.push(elapsedMs);
          },
        },
        iceServers,
      ),
  });
  try {
    feedbacks = () => rig.sender.getStats().congestion?.feedbacks ?? 0;
    await pause(WARM_UP_S, 'feedback: warming up', context);
    samplesMs.length = 0;
    const delay = monitorEventLoopDelay({ resolution: MONITOR_SLEEP_MS });
    delay.enable();
    await pause(context.quick ? 8 : 30, 'feedback: measuring', context);
    delay.disable();
    const waitMs = delay.percentile(99) / 1e6 - MONITOR_SLEEP_MS;
    return {
      feedback_to_encoder_ms_p99: percentile(samplesMs, 99) + waitMs,
      feedback_handled_ms_p99: percentile(samplesMs, 99),
      feedback_event_loop_delay_ms_p99: waitMs,
      feedback_samples: samplesMs.length,
    };
  } finally {
    await rig.close();
  }
}
