import { api } from './api.js';
import type { Benchmark } from './benchmark.js';
import { capacity } from './capacity.js';
import { latency } from './latency.js';

/** What `framelock bench` runs, wherever it is installed: the first one where none is named. Those for developers are in `bench/`. */
export const BENCHMARKS = [capacity, latency, api] as const satisfies readonly [Benchmark, ...Benchmark[]];
