import type { Benchmark } from '../src/bench/benchmark.js';
import { percentile } from '../src/bench/support/percentile.js';
import { type AllocationRequest, Allocator } from '../src/congestion/allocator/allocator.js';
import type { TrackDemand } from '../src/congestion/allocator/track-demand.js';
import { measureFeedbackLatency } from './support/feedback-latency.js';

const TRACK_COUNTS = [4, 16, 64];
/** Updates in one timed round of all track counts. */
const PER_ROUND = 1000;
const WARM_UP_ROUNDS = 5;
const ROUNDS_QUICK = 31;
const ROUNDS = 101;

/** Between two updates: the interval of transport-wide feedback. */
const INTERVAL_US = 50_000;
const BPS_PER_TRACK = 500_000;

/** What one update of the allocator costs, from the request to every track's decision. */
export const allocation: Benchmark = {
  name: 'allocation',
  summary:
    'one update of the bitrate allocator with 4, 16 and 64 tracks, and feedback to new targets with four cameras',
  async run(context) {
    const { quick, progress } = context;
    const runs = TRACK_COUNTS.map((count) => ({ count, drive: new Drive(count), samplesNs: [] as number[] }));
    const rounds = WARM_UP_ROUNDS + (quick ? ROUNDS_QUICK : ROUNDS);
    for (let round = 0; round < rounds; round += 1) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const { drive, samplesNs } of runs) {
        const beganMs = performance.now();
        drive.update(PER_ROUND);
        const elapsedNs = (performance.now() - beganMs) * 1e6;
        if (round >= WARM_UP_ROUNDS) samplesNs.push(elapsedNs / PER_ROUND);
      }
    }
    const updates = runs.map(({ count, samplesNs }) => [`allocate_ns_${count}`, percentile(samplesNs, 50)]);
    return { ...Object.fromEntries(updates), ...(await measureFeedbackLatency(context)) };
  },
};

/**
 * Tracks with every kind of demand under a target that sweeps up and down within 10 s of made-up time, between 125 and 750 kbit/s a track:
 * some are paused and come back, some are at a bound, most are in between.
 */
class Drive {
  readonly #allocator = new Allocator();
  readonly #tracks: readonly TrackDemand[];
  #updates = 0;

  constructor(count: number) {
    this.#tracks = Array.from({ length: count }, (_, index) => ({
      id: `camera-${index}`,
      weight: 1 + (index % 4),
      minBps: 100_000 * (index % 3),
      maxBps: index % 2 === 0 ? BPS_PER_TRACK : Number.POSITIVE_INFINITY,
      priorityClass: index % 3,
      enforceMinimum: index === 0,
    }));
  }

  update(times: number): void {
    for (let i = 0; i < times; i += 1) this.#allocator.update(this.#next());
  }

  #next(): AllocationRequest {
    this.#updates += 1;
    const phase = (this.#updates % 200) / 200;
    const factor = 0.25 + 2.5 * Math.abs(phase - 0.5);
    const targetBps = factor * BPS_PER_TRACK * this.#tracks.length;
    return { nowUs: this.#updates * INTERVAL_US, targetBps, audioBps: 32_000, tracks: this.#tracks };
  }
}
