import { Mutex } from 'async-mutex';
import type { Benchmark } from '../src/bench/benchmark.js';
import { percentile } from '../src/bench/support/percentile.js';
import { LockChecker } from '../src/concurrency/lock-checker.js';
import { RwLock } from '../src/concurrency/rw-lock.js';
import { SystemClock } from '../src/core/clock.js';
import { NodeAsyncContext } from '../src/sender/async-context.js';

/** Acquisitions in one timed round, and in one of what is much slower. */
const PER_ROUND = 20_000;
const PER_SLOW_ROUND = 2000;
const WARM_UP_ROUNDS = 5;
const ROUNDS_QUICK = 31;
const ROUNDS = 101;

const READERS = 64;
/** How long a reader holds the lock, about an encode cycle. */
const HOLD_MS = 5;
const BETWEEN_WRITES_MS = 10;
const WARM_UP_MS = 1000;
const CONTENTION_MS_QUICK = 10_000;
const CONTENTION_MS = 60_000;

/** Acquires and releases something so many times, one after the other. */
type Contender = (times: number) => Promise<void>;

/** What the locks cost when nobody else wants them, and what they make readers and writers wait when many do. */
export const locks: Benchmark = {
  name: 'locks',
  summary: "uncontended acquisition beside async-mutex's Mutex; 64 readers with a writer every 10 ms",
  async run({ quick, progress }) {
    const rounds = quick ? ROUNDS_QUICK : ROUNDS;
    progress('uncontended');
    const plain = await race(uncontended(''), rounds, PER_ROUND);
    progress('64 readers and a writer');
    const contention = await contend(quick ? CONTENTION_MS_QUICK : CONTENTION_MS);
    progress('uncontended, as inside a sender');
    // Last, for it makes every promise of the process dearer from then on.
    const inSender = await new NodeAsyncContext<true>().run(true, async () => ({
      ...(await race(uncontended('_in_sender'), rounds, PER_ROUND)),
      ...(await race(checked(), rounds, PER_SLOW_ROUND)),
    }));
    return { ...plain, ...contention, ...inSender };
  },
};

function uncontended(suffix: string): Readonly<Record<string, Contender>> {
  const lock = new RwLock({ name: 'bench', clock: new SystemClock() });
  const mutex = new Mutex();
  return {
    [`read_acquire${suffix}_ns`]: async (times) => {
      for (let i = 0; i < times; i += 1) (await lock.acquireRead()).release();
    },
    [`write_acquire${suffix}_ns`]: async (times) => {
      for (let i = 0; i < times; i += 1) (await lock.acquireWrite()).release();
    },
    [`mutex_acquire${suffix}_ns`]: async (times) => {
      for (let i = 0; i < times; i += 1) (await mutex.acquire())();
    },
    [`read_section${suffix}_ns`]: async (times) => {
      for (let i = 0; i < times; i += 1) await lock.read(() => i);
    },
    [`write_section${suffix}_ns`]: async (times) => {
      for (let i = 0; i < times; i += 1) await lock.write(() => i);
    },
    [`mutex_section${suffix}_ns`]: async (times) => {
      for (let i = 0; i < times; i += 1) await mutex.runExclusive(() => i);
    },
  };
}

function checked(): Readonly<Record<string, Contender>> {
  const observer = new LockChecker(new NodeAsyncContext());
  const lock = new RwLock({ name: 'bench', clock: new SystemClock(), observer });
  return {
    read_section_checked_ns: async (times) => {
      for (let i = 0; i < times; i += 1) await lock.read(() => i);
    },
  };
}

/** Nanoseconds of one acquisition and release by each contender: the median over rounds that alternate. */
async function race(contenders: Readonly<Record<string, Contender>>, rounds: number, times: number) {
  const perAcquisitionNs = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round += 1) {
    for (const [name, contender] of Object.entries(contenders)) {
      const beganMs = performance.now();
      await contender(times);
      const elapsedNs = (performance.now() - beganMs) * 1e6;
      if (round >= WARM_UP_ROUNDS) perAcquisitionNs.get(name)?.push(elapsedNs / times);
    }
  }
  return Object.fromEntries(Array.from(perAcquisitionNs, ([name, samples]) => [name, percentile(samples, 50)]));
}

/** Readers that hold the lock most of the time, and a writer that comes regularly and holds it for an instant. */
async function contend(durationMs: number) {
  const lock = new RwLock({ name: 'bench', clock: new SystemClock() });
  const readerWaitMs: number[] = [];
  const readerHoldMs: number[] = [];
  const writerWaitMs: number[] = [];
  const fromMs = performance.now() + WARM_UP_MS;
  const untilMs = fromMs + durationMs;
  const record = (samples: number[], beganMs: number, endedMs: number): void => {
    if (beganMs >= fromMs) samples.push(endedMs - beganMs);
  };
  const read = async (): Promise<void> => {
    const askedMs = performance.now();
    await lock.read(async () => {
      const enteredMs = performance.now();
      record(readerWaitMs, askedMs, enteredMs);
      await sleep(HOLD_MS);
      record(readerHoldMs, enteredMs, performance.now());
    });
  };
  const keepReading = async (index: number): Promise<void> => {
    await sleep((HOLD_MS * index) / READERS);
    while (performance.now() < untilMs) await read();
  };
  const keepWriting = async (): Promise<void> => {
    for (let dueMs = performance.now(); dueMs < untilMs; dueMs += BETWEEN_WRITES_MS) {
      await sleep(dueMs - performance.now());
      const askedMs = performance.now();
      await lock.write(() => record(writerWaitMs, askedMs, performance.now()));
    }
  };
  await Promise.all([...Array.from({ length: READERS }, (_, index) => keepReading(index)), keepWriting()]);
  return {
    writer_wait_ms_p50: percentile(writerWaitMs, 50),
    writer_wait_ms_p99: percentile(writerWaitMs, 99),
    reader_wait_ms_p50: percentile(readerWaitMs, 50),
    reader_wait_ms_p99: percentile(readerWaitMs, 99),
    reader_hold_ms_p99: percentile(readerHoldMs, 99),
    reads: readerWaitMs.length,
    writes: writerWaitMs.length,
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
