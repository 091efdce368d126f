import { percentile } from '../../../src/bench/support/percentile.js';

const SAMPLE_EVERY_MS = 1000;
const BYTES_PER_MB = 1e6;

/** Samples the resident memory of this process once a second, after a collection of garbage where the process may ask for one. */
export class MemoryWatch {
  readonly samplesMb: number[] = [];
  /** What of it JavaScript holds, its heap and its buffers: tells a leak there from one in native code. */
  readonly scriptMb: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#sample(), SAMPLE_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  get newestMb(): number {
    return this.samplesMb.at(-1) ?? process.memoryUsage.rss() / BYTES_PER_MB;
  }

  #sample(): void {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    this.samplesMb.push(rss / BYTES_PER_MB);
    this.scriptMb.push((heapUsed + external) / BYTES_PER_MB);
  }
}

/** Median of the samples from one share of a run to another, 0 to 1. */
export function medianOf(samples: readonly number[], from: number, to: number): number {
  return percentile(samples.slice(Math.floor(from * samples.length), Math.ceil(to * samples.length)), 50);
}
