import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ServiceClient } from '../client.js';
import type { Benchmark, BenchmarkContext } from './benchmark.js';
import { ApiLoad } from './support/api-load.js';
import { assertGoesOn, pause } from './support/pause.js';
import { type ServiceProcess, withService } from './support/service-process.js';
import { withSfu } from './support/sfu-process.js';
import { atSustainedFramerate } from './support/sustained-framerate.js';

const CAMERAS = ['front', 'rear', 'left', 'right'] as const;
const BITRATE_BPS = 6_000_000;
const REQUESTS_PER_SECOND = 100;
/** Code is compiled meanwhile, and encoders settle. */
const WARM_UP_S = 4;
const CYCLES_QUICK = 20;
const CYCLES = 200;
/** Before leaks are counted: what is made once has been made. */
const WARM_UP_CYCLES = 5;
/** Connections that are kept are closed by then, and whatever else ends by itself. */
const SETTLE_S = 6;
/** What the monitor of the event loop sleeps between two looks is in its figures, and delays nobody. */
const MONITOR_SLEEP_MS = 1;

/** The control API of a service whose cameras are live. */
export const api: Benchmark = {
  name: 'api',
  summary: 'the control API: 100 allocations a second while four cameras publish; 200 publishers made and closed',
  run: (context) =>
    withSfu(async ({ whipUrl }) => {
      const load = await atSustainedFramerate(`${CAMERAS.length} cameras`, context, (framerate) =>
        withService((service) => measureAllocations(service, whipUrl, framerate, context)),
      );
      const cycles = await measureCycles(whipUrl, context);
      return { ...load, ...cycles };
    }),
};

/** Round trips of allocations, each of which changes every camera's share, while all cameras are sent. */
async function measureAllocations(
  service: ServiceProcess,
  whipUrl: string,
  framerate: number,
  context: BenchmarkContext,
) {
  const { quick, progress, signal } = context;
  const client = new ServiceClient({ url: service.url });
  await client.createPublisher({
    id: 'robot',
    sfu: { whip: { url: whipUrl } },
    bitrateBps: BITRATE_BPS,
    // The same work in every run.
    congestionControl: 'fixed',
    tracks: CAMERAS.map((id) => ({ id, source: `replayed@${framerate}` })),
  });
  while (!(await client.ready())) {
    assertGoesOn(signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const load = new ApiLoad(service.url);
  const next = (index: number) => ['PUT', '/v1/publishers/robot/allocation', { tracks: sharesAt(index) }] as const;
  try {
    await load.run(REQUESTS_PER_SECOND, WARM_UP_S, signal, (index) => [...next(index)]);
    const before = await framesOf(client);
    await service.ask('watch');
    const own = monitorEventLoopDelay({ resolution: MONITOR_SLEEP_MS });
    own.enable();
    progress(`allocations at ${framerate} fps`);
    const { p50Ms, p99Ms, maxMs, failures } = await load.run(REQUESTS_PER_SECOND, quick ? 10 : 30, signal, (index) => [
      ...next(index),
    ]);
    own.disable();
    const delay = await service.ask('watched');
    const after = await framesOf(client);
    return {
      allocation_ms_p50: p50Ms,
      allocation_ms_p99: p99Ms,
      allocation_ms_max: maxMs,
      allocation_failures: failures,
      event_loop_delay_ms_p50: delay['p50Ms'] ?? Number.NaN,
      event_loop_delay_ms_p99: delay['p99Ms'] ?? Number.NaN,
      event_loop_delay_ms_max: delay['maxMs'] ?? Number.NaN,
      client_event_loop_delay_ms_p99: own.percentile(99) / 1e6 - MONITOR_SLEEP_MS,
      lost_frames_pct: 100 * (1 - (after.sent - before.sent) / (after.given - before.given)),
      frames: after.sent - before.sent,
    };
  } finally {
    load.close();
  }
}

/** Weights that go up and down, none of them 0: nobody is paused or woken. */
function sharesAt(index: number) {
  return Object.fromEntries(
    CAMERAS.map((id, camera) => [id, { weight: 1 + ((index + camera) % CAMERAS.length), minBps: 100_000 }]),
  );
}

async function framesOf(client: ServiceClient): Promise<{ readonly given: number; readonly sent: number }> {
  const { tracks } = await client.stats('robot');
  return {
    given: tracks.reduce((sum, { frames }) => sum + frames, 0),
    sent: tracks.reduce((sum, { framesSent }) => sum + framesSent, 0),
  };
}

/** Publishers that are made, connect and are closed, one after the other. */
async function measureCycles(whipUrl: string, context: BenchmarkContext) {
  const { quick, progress, signal } = context;
  const cycles = quick ? CYCLES_QUICK : CYCLES;
  return withService(async (service) => {
    const client = new ServiceClient({ url: service.url });
    const cycle = async (id: string): Promise<void> => {
      const tracks = [{ id: 'front', source: 'test:160x120@10' }];
      await client.createPublisher({ id, sfu: { whip: { url: whipUrl } }, tracks });
      while ((await client.publisher(id)).state !== 'connected') {
        assertGoesOn(signal);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await client.closePublisher(id);
    };
    for (let index = 0; index < WARM_UP_CYCLES; index += 1) await cycle(`warm-up-${index}`);
    await pause(SETTLE_S, 'settling', context);
    const before = await service.ask('left');
    for (let index = 0; index < cycles; index += 1) {
      progress(`publisher ${index + 1}/${cycles}`);
      await cycle(`robot-${index}`);
    }
    await pause(SETTLE_S, 'settling', context);
    const after = await service.ask('left');
    const grown = (name: string): number => (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN);
    return {
      create_delete_cycles: cycles,
      create_delete_leaked_handles: grown('handles'),
      create_delete_leaked_sockets: grown('sockets'),
      create_delete_heap_growth_kb: grown('heapBytes') / 1000,
      create_delete_heap_growth_per_cycle_kb: grown('heapBytes') / 1000 / cycles,
    };
  });
}
