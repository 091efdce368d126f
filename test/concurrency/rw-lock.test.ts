import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RwLock } from '../../src/concurrency/rw-lock.js';
import { watchForLeakedLocks } from '../support/lock-leaks.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const makeChecker = watchForLeakedLocks();

function makeLock() {
  const clock = new VirtualClock();
  return { clock, lock: new RwLock({ name: 'encoderMu(front)', clock, observer: makeChecker() }) };
}

/** Requests the lock, notes the entry under `label` and holds it until told to leave. */
function enter(lock: RwLock, side: 'read' | 'write', label: string, log: string[]) {
  let leave = (): void => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const done = lock[side](() => {
    log.push(label);
    return left;
  });
  return { done, leave };
}

describe('RwLock', () => {
  it('lets readers in together and a writer alone', async () => {
    const { lock } = makeLock();
    const log: string[] = [];
    const first = enter(lock, 'read', 'r1', log);
    const second = enter(lock, 'read', 'r2', log);
    const writer = enter(lock, 'write', 'w', log);
    await settle();
    expect(log).toEqual(['r1', 'r2']);
    first.leave();
    await settle();
    expect(log).toEqual(['r1', 'r2']);
    second.leave();
    await settle();
    expect(log).toEqual(['r1', 'r2', 'w']);
    writer.leave();
    await Promise.all([first.done, second.done, writer.done]);
  });

  it('returns what the body returns, synchronous or not', async () => {
    const { lock } = makeLock();
    expect(await lock.read(() => 1)).toBe(1);
    expect(await lock.write(async () => 2)).toBe(2);
  });

  it('lets go when the body throws or rejects', async () => {
    const { lock } = makeLock();
    const failure = new Error('encode failed');
    await expect(
      lock.read(() => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    await expect(lock.write(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(await lock.write(() => 'free')).toBe('free');
  });

  it('refuses a second release and keeps others out of harm', async () => {
    const { lock } = makeLock();
    const guard = await lock.acquireWrite();
    guard.release();
    const next = await lock.acquireWrite();
    expect(() => guard.release()).toThrow(expect.objectContaining({ code: 'LOCK_DOUBLE_RELEASE' }));
    let entered = false;
    const reader = lock.read(() => {
      entered = true;
    });
    await settle();
    expect(entered).toBe(false);
    next.release();
    await reader;
  });

  it('admits no more than 64 readers at once, and the next when one leaves', async () => {
    const { lock } = makeLock();
    const guards = await Promise.all(Array.from({ length: 64 }, () => lock.acquireRead()));
    const extra = lock.acquireRead();
    await settle();
    expect(lock.stats().read).toMatchObject({ holding: 64, waiting: 1 });
    guards[0]?.release();
    for (const guard of [await extra, ...guards.slice(1)]) guard.release();
  });
});

describe('RwLock fairness', () => {
  it('lets a writer overtake readers that wait behind another writer', async () => {
    const { lock } = makeLock();
    const log: string[] = [];
    const cycle = enter(lock, 'read', 'cycle in flight', log);
    const rest = (['write', 'read', 'read', 'write'] as const).map((side, i) => enter(lock, side, `${side} ${i}`, log));
    for (const holder of [cycle, ...rest]) holder.leave();
    await Promise.all(rest.map(({ done }) => done));
    expect(log).toEqual(['cycle in flight', 'write 0', 'write 3', 'read 1', 'read 2']);
  });

  it('lets a waiting reader be overtaken by one writer only, however many follow', async () => {
    const { lock } = makeLock();
    const log: string[] = [];
    const first = enter(lock, 'write', 'w0', log);
    const reader = enter(lock, 'read', 'r', log);
    const writers = ['w1', 'w2', 'w3'].map((label) => enter(lock, 'write', label, log));
    for (const holder of [first, reader, ...writers]) holder.leave();
    await Promise.all(writers.map(({ done }) => done));
    expect(log).toEqual(['w0', 'w1', 'r', 'w2', 'w3']);
  });

  it('does not starve a reader under an endless stream of writers', async () => {
    const { lock } = makeLock();
    let served = false;
    let writes = 0;
    const stream = async (): Promise<void> => {
      while (!served && writes < 100) {
        await lock.write(() => {
          writes += 1;
        });
      }
    };
    const streams = [stream(), stream(), stream()];
    await lock.read(() => {
      served = true;
    });
    await Promise.all(streams);
    expect(writes).toBeLessThan(10);
  });

  it('does not starve a writer under an endless stream of overlapping readers', async () => {
    const { lock } = makeLock();
    let served = false;
    let reads = 0;
    const stream = async (): Promise<void> => {
      while (!served && reads < 100) {
        await lock.read(async () => {
          reads += 1;
          await Promise.resolve();
        });
      }
    };
    const streams = [stream(), stream(), stream()];
    await lock.write(() => {
      served = true;
    });
    await Promise.all(streams);
    expect(reads).toBeLessThan(10);
  });
});

describe('RwLock giving up', () => {
  it('aborts a waiting request with LOCK_ABORTED and never runs its body', async () => {
    const { lock } = makeLock();
    const guard = await lock.acquireRead();
    const controller = new AbortController();
    let ran = false;
    const writer = lock.write(
      () => {
        ran = true;
      },
      { signal: controller.signal },
    );
    controller.abort('the track was removed');
    await expect(writer).rejects.toMatchObject({ code: 'LOCK_ABORTED', cause: 'the track was removed' });
    guard.release();
    await settle();
    expect(ran).toBe(false);
    expect(lock.stats().write).toMatchObject({ acquisitions: 0, abandoned: 1, waiting: 0, holding: 0 });
  });

  it('refuses a request whose signal is aborted already', async () => {
    const { lock } = makeLock();
    await expect(lock.read(() => 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'LOCK_ABORTED' });
    expect(await lock.write(() => 'free')).toBe('free');
  });

  it('times a waiting request out with LOCK_TIMEOUT on the injected clock', async () => {
    const { clock, lock } = makeLock();
    const guard = await lock.acquireWrite();
    const reader = lock.read(() => 1, { timeoutMs: 50 });
    const outcome = expect(reader).rejects.toMatchObject({ code: 'LOCK_TIMEOUT', context: { side: 'read' } });
    await clock.advance(49);
    expect(lock.stats().read.waiting).toBe(1);
    await clock.advance(1);
    await outcome;
    guard.release();
  });

  it('lets waiting readers in at once when the writer before them gives up', async () => {
    const { clock, lock } = makeLock();
    const log: string[] = [];
    const holder = enter(lock, 'read', 'holder', log);
    const writer = expect(lock.write(() => log.push('writer'), { timeoutMs: 10 })).rejects.toThrow();
    const reader = enter(lock, 'read', 'reader', log);
    await clock.advance(9);
    expect(log).toEqual(['holder']);
    await clock.advance(1);
    expect(log).toEqual(['holder', 'reader']);
    await writer;
    holder.leave();
    reader.leave();
  });

  it('keeps the others in their places when one gives up, and new readers behind a waiting writer', async () => {
    const { lock } = makeLock();
    const log: string[] = [];
    const controller = new AbortController();
    const holder = enter(lock, 'read', 'holder', log);
    const first = enter(lock, 'write', 'w1', log);
    const gone = expect(lock.write(() => log.push('gone'), { signal: controller.signal })).rejects.toThrow();
    const second = enter(lock, 'write', 'w2', log);
    controller.abort();
    const late = enter(lock, 'read', 'late', log);
    await gone;
    await settle();
    expect(log).toEqual(['holder']);
    for (const { leave } of [holder, first, second, late]) leave();
    await late.done;
    expect(log).toEqual(['holder', 'w1', 'w2', 'late']);
  });

  it('leaves no timer and no abort listener behind once it has the lock', async () => {
    const { clock, lock } = makeLock();
    const controller = new AbortController();
    const guard = await lock.acquireWrite({ signal: controller.signal, timeoutMs: 10 });
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(lock.stats().write).toMatchObject({ holding: 1, abandoned: 0 });
    guard.release();
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a timeout of %s', async (timeoutMs) => {
    const { lock } = makeLock();
    await expect(lock.read(() => 1, { timeoutMs })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('RwLock.stats', () => {
  it('tells wait and hold time of each side, total and longest', async () => {
    const { clock, lock } = makeLock();
    const writer = await lock.acquireWrite();
    const pending = [lock.acquireRead(), lock.acquireRead()];
    await clock.advance(5);
    writer.release();
    const readers = await Promise.all(pending);
    await clock.advance(3);
    readers[0]?.release();
    await clock.advance(4);
    readers[1]?.release();
    expect(lock.stats()).toEqual({
      name: 'encoderMu(front)',
      read: {
        acquisitions: 2,
        abandoned: 0,
        waiting: 0,
        holding: 0,
        waitTotalUs: 10_000,
        waitMaxUs: 5_000,
        waitCounts: [0, 0, 2, 0, 0, 0, 0, 0],
        holdTotalUs: 10_000,
        holdMaxUs: 7_000,
      },
      write: {
        acquisitions: 1,
        abandoned: 0,
        waiting: 0,
        holding: 0,
        waitTotalUs: 0,
        waitMaxUs: 0,
        waitCounts: [1, 0, 0, 0, 0, 0, 0, 0],
        holdTotalUs: 5_000,
        holdMaxUs: 5_000,
      },
    });
  });
});

/** One request in a generated history; times are in microtask ticks, where the races of a promise-based lock live. */
interface Plan {
  readonly side: 'read' | 'write';
  readonly arriveTick: number;
  readonly holdTicks: number;
  readonly abortTick: number | undefined;
  readonly fails: boolean;
}

const plans = fc.array(
  fc.record({
    side: fc.constantFrom('read' as const, 'write' as const),
    arriveTick: fc.nat(30),
    holdTicks: fc.nat(8),
    abortTick: fc.option(fc.nat(60), { nil: undefined }),
    fails: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

interface Trace extends Plan {
  requested: number;
  entered: number | undefined;
  waiting: boolean;
}

/** Plays a history, checking at every entry that no promise of the lock is broken, and returns what happened to each request. */
async function play(lock: RwLock, history: readonly Plan[], pause: (ticks: number) => Promise<void>): Promise<Trace[]> {
  const traces: Trace[] = [];
  let readers = 0;
  let writers = 0;
  let events = 0;
  const onEntry = (trace: Trace): void => {
    trace.waiting = false;
    trace.entered = events++;
    if (trace.side === 'read') readers += 1;
    else writers += 1;
    expect(writers === 0 || (writers === 1 && readers === 0), 'a writer is alone').toBe(true);
    if (trace.side === 'read') {
      const passed = traces.filter((w) => w.side === 'write' && w.waiting && w.requested < trace.requested);
      expect(passed, 'no reader passes a waiting writer that came before it').toEqual([]);
    }
  };
  await Promise.all(
    history.map(async (plan) => {
      await pause(plan.arriveTick);
      const trace: Trace = { ...plan, requested: events++, entered: undefined, waiting: true };
      traces.push(trace);
      const controller = new AbortController();
      const aborted =
        plan.abortTick === undefined
          ? undefined
          : pause(plan.abortTick).then(() => {
              if (trace.waiting) trace.waiting = false;
              controller.abort();
            });
      const run = lock[plan.side](
        async () => {
          onEntry(trace);
          await pause(plan.holdTicks);
          if (trace.side === 'read') readers -= 1;
          else writers -= 1;
          if (plan.fails) throw new Error('the body failed');
        },
        { signal: controller.signal },
      );
      const outcome = await run.then(
        () => 'ended',
        (error: unknown) => (error as { code?: string }).code ?? 'failed',
      );
      expect(outcome).toBe(trace.entered === undefined ? 'LOCK_ABORTED' : plan.fails ? 'failed' : 'ended');
      await aborted;
    }),
  );
  return traces;
}

async function expectAtRest(lock: RwLock): Promise<void> {
  const { read, write } = lock.stats();
  expect([read.waiting, read.holding, write.waiting, write.holding]).toEqual([0, 0, 0, 0]);
  expect(await lock.write(() => 'free', { timeoutMs: 0 })).toBe('free');
}

function expectBoundedOvertaking(traces: readonly Trace[]): void {
  for (const reader of traces.filter(({ side, entered }) => side === 'read' && entered !== undefined)) {
    const overtakers = traces.filter(
      ({ side, requested, entered }) =>
        side === 'write' && entered !== undefined && requested > reader.requested && entered < (reader.entered ?? 0),
    );
    expect(overtakers.length, 'writers that overtook one reader').toBeLessThanOrEqual(1);
  }
}

describe('RwLock under any schedule', () => {
  it('keeps its promises for every history of requests, aborts and failures', async () => {
    const ticks = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await undefined;
    };
    await fc.assert(
      fc.asyncProperty(plans, async (history) => {
        const { lock } = makeLock();
        expectBoundedOvertaking(await play(lock, history, ticks));
        await expectAtRest(lock);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps them for every interleaving that a scheduler finds', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.scheduler(), async (history, scheduler) => {
        const { lock } = makeLock();
        const run = play(lock, history, () => scheduler.schedule(Promise.resolve()));
        await scheduler.waitFor(run);
        expectBoundedOvertaking(await run);
        await expectAtRest(lock);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps them when requests time out', async () => {
    const timed = fc.array(
      fc.record({
        side: fc.constantFrom('read' as const, 'write' as const),
        arriveMs: fc.nat(20),
        holdMs: fc.nat(10),
        timeoutMs: fc.nat(15),
      }),
      { maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(timed, async (history) => {
        const { clock, lock } = makeLock();
        const after = (ms: number) => new Promise<void>((resolve) => clock.setTimer(ms, resolve));
        let inside = 0;
        let settled = 0;
        for (const { side, arriveMs, holdMs, timeoutMs } of history) {
          clock.setTimer(arriveMs, () => {
            const requestedUs = clock.nowUs();
            const body = async () => {
              expect(clock.nowUs() - requestedUs).toBeLessThanOrEqual(timeoutMs * 1000);
              inside += side === 'write' ? 1000 : 1;
              expect(inside === 1000 || inside < 1000).toBe(true);
              await after(holdMs);
              inside -= side === 'write' ? 1000 : 1;
            };
            lock[side](body, { timeoutMs }).then(
              () => settled++,
              (error: unknown) => {
                expect(error).toMatchObject({ code: 'LOCK_TIMEOUT' });
                settled++;
              },
            );
          });
        }
        await clock.advance(200);
        expect(settled).toBe(history.length);
        expect(clock.pendingTimers).toBe(0);
        await expectAtRest(lock);
      }),
      { numRuns: 100 },
    );
  });
});
