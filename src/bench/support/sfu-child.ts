// The program of sfu-process.ts: runs a loopback SFU until its parent goes away.
import { SystemClock } from '../../core/clock.js';
import { LoopbackSfu } from '../../loopback/loopback-sfu.js';
import { liveWithParent } from './child-lifetime.js';
import type { FrameArrival, SfuQuestion } from './sfu-process.js';

/** Of about ten minutes of four cameras; later ones are left out. */
const MAX_ARRIVALS = 65_536;

const clock = new SystemClock();
let arrivals: FrameArrival[] | undefined;
const sfu = new LoopbackSfu({
  port: 0,
  clock,
  arrived: (trackId, { marker, timestamp }) => {
    if (!marker || arrivals === undefined || arrivals.length >= MAX_ARRIVALS) return;
    arrivals.push({ trackId, rtpTimestamp: timestamp, atUs: clock.nowUs() });
  },
});

/** Answers, by question. */
const ANSWERS: Readonly<Record<SfuQuestion, () => readonly FrameArrival[]>> = {
  watch: () => {
    arrivals = [];
    return [];
  },
  arrivals: () => arrivals ?? [],
};

process.on('message', (question: SfuQuestion) => process.send?.(ANSWERS[question]()));
liveWithParent(() => sfu.close());
process.send?.(await sfu.start());
