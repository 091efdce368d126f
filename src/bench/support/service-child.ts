// The program of service-process.ts: runs a publisher service until its parent goes away, and tells it how the process is.
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SystemClock } from '../../core/clock.js';
import { defaultParts } from '../../service/default-parts.js';
import { pinoLogger } from '../../service/pino-logger.js';
import { PublisherService } from '../../service/publisher-service.js';
import { liveWithParent } from './child-lifetime.js';
import { openResources } from './open-resources.js';
import { drawPictures } from './replayed-camera.js';
import { ReplayedSource } from './replayed-source.js';
import type { ServiceQuestion } from './service-process.js';

/** A source of this name, followed by a frame rate, plays pictures drawn ahead: `replayed@30`. */
const REPLAYED = /^replayed@(\d+)$/;
/** What the monitor of the event loop sleeps between two looks is in its figures, and delays nobody. */
const MONITOR_SLEEP_MS = 1;

const clock = new SystemClock();
const pictures = drawPictures(() => undefined);
const parts = defaultParts(clock, pinoLogger('info'));
let cameras = 0;
const service = new PublisherService({
  spec: { http: { port: 0 } },
  version: 'bench',
  parts: {
    ...parts,
    createSource: (source, track) => {
      const [, framerate] = REPLAYED.exec(source) ?? [];
      if (framerate === undefined) return parts.createSource(source, track);
      cameras += 1;
      return new ReplayedSource(pictures, Number(framerate), clock, (cameras * 1000) / Number(framerate) / 4);
    },
  },
});
let delay: IntervalHistogram | undefined;

/** Answers, by question. */
const ANSWERS: Readonly<Record<ServiceQuestion, () => Readonly<Record<string, number>>>> = {
  watch: () => {
    delay = monitorEventLoopDelay({ resolution: MONITOR_SLEEP_MS });
    delay.enable();
    return {};
  },
  watched: () => {
    delay?.disable();
    const atMs = (p: number): number => (delay?.percentile(p) ?? Number.NaN) / 1e6 - MONITOR_SLEEP_MS;
    return { p50Ms: atMs(50), p99Ms: atMs(99), maxMs: atMs(100) };
  },
  left: () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
    collect();
    const resources = [...openResources()];
    const sum = (counts: readonly (readonly [string, number])[]): number => counts.reduce((all, [, n]) => all + n, 0);
    return {
      heapBytes: process.memoryUsage().heapUsed,
      rssBytes: process.memoryUsage().rss,
      handles: sum(resources.filter(([kind]) => !kind.startsWith('fd '))),
      sockets: sum(resources.filter(([kind]) => kind.startsWith('fd socket'))),
    };
  },
};

process.on('message', (question: ServiceQuestion) => process.send?.(ANSWERS[question]()));
liveWithParent(() => service.close());
process.send?.(await service.start());
