import { afterEach, describe, expect, it, vi } from 'vitest';
import { LockChecker } from '../../src/concurrency/lock-checker.js';
import { RwLock } from '../../src/concurrency/rw-lock.js';
import { silentLogger } from '../../src/core/logger.js';
import { watchLocks } from '../../src/sender/lock-watch.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { SenderHarness } from './sender-harness.js';

type Environment = Readonly<Record<string, string | undefined>>;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function watch(environment: Environment, checkLocks?: boolean) {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const logger = { warn: (message: string) => void warnings.push(message) };
  return { clock, warnings, ...watchLocks({ checkLocks, environment, clock, logger }) };
}

const HOUR_MS = 3_600_000;

/** Whether a request that waits is reported after so many milliseconds, and not sooner. */
async function isReportedAt(setting: string, thresholdMs: number): Promise<boolean> {
  const { clock, warnings, observer } = watch({ FRAMELOCK_LOCK_TRACE: setting });
  const lock = new RwLock({ name: 'mu', clock, observer });
  const guard = await lock.acquireWrite();
  const waiting = lock.acquireWrite();
  await clock.advance(thresholdMs - 1);
  const sooner = warnings.length;
  await clock.advance(1);
  guard.release();
  (await waiting).release();
  return sooner === 0 && warnings.length === 1;
}

describe('watchLocks', () => {
  it.each([
    [{}, undefined, true],
    [{ NODE_ENV: 'test' }, undefined, true],
    [{ NODE_ENV: 'production' }, undefined, false],
    [{ NODE_ENV: 'production' }, true, true],
    [{}, false, false],
  ] as const)('in %j with checkLocks %s checks: %s', (environment: Environment, checkLocks, checks) => {
    const { checker, observer } = watch(environment, checkLocks);
    expect(checker instanceof LockChecker).toBe(checks);
    expect(observer).toBe(checker);
  });

  it.each([
    ['1', 250],
    ['on', 250],
    ['500', 500],
    ['1e12', HOUR_MS],
  ])('with FRAMELOCK_LOCK_TRACE=%s reports a wait after %i ms', async (setting, thresholdMs) => {
    expect(await isReportedAt(setting, thresholdMs)).toBe(true);
  });

  it.each(['', '0'])('does not trace with FRAMELOCK_LOCK_TRACE=%j', (setting) => {
    const { checker, observer } = watch({ FRAMELOCK_LOCK_TRACE: setting });
    expect(observer).toBe(checker);
  });

  it('with the trace on and checking off, refuses nothing', async () => {
    const { clock, checker, observer } = watch({ FRAMELOCK_LOCK_TRACE: '1', NODE_ENV: 'production' });
    const outer = new RwLock({ name: 'outer', clock, level: 1, observer });
    const inner = new RwLock({ name: 'inner', clock, level: 0, observer });
    expect(await outer.read(() => inner.read(() => 'inverted'))).toBe('inverted');
    expect(checker?.violations).toBe(1);
  });

  it('with the trace and checking on, refuses as without the trace', async () => {
    const { clock, observer } = watch({ FRAMELOCK_LOCK_TRACE: '1' });
    const lock = new RwLock({ name: 'mu', clock, observer });
    await expect(lock.read(() => lock.read(() => undefined))).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    expect(clock.pendingTimers).toBe(0);
  });

  it("without a logger, traces to Node's warnings", async () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const clock = new VirtualClock();
    const environment = { FRAMELOCK_LOCK_TRACE: '1' };
    const { observer } = watchLocks({ checkLocks: true, environment, clock, logger: undefined });
    const lock = new RwLock({ name: 'mu', clock, observer });
    const guard = await lock.acquireWrite();
    const waiting = lock.acquireRead();
    await clock.advance(250);
    expect(emitWarning).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('mu'), {
      code: 'FRAMELOCK_LOCK_TRACE',
    });
    guard.release();
    (await waiting).release();
  });
});

describe('a sender under FRAMELOCK_LOCK_TRACE', () => {
  it('reports through its logger who holds tracksMu and who waits for it', async () => {
    vi.stubEnv('FRAMELOCK_LOCK_TRACE', '1');
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const harness = new SenderHarness({ logger });
    await harness.addTracks('front', 'rear');
    // The first takes tracksMu and the second waits for it; time moves on before either can go on.
    const removals = [harness.sender.removeTrack('front'), harness.sender.removeTrack('rear')];
    await harness.clock.advance(250);
    await Promise.all(removals);
    const where = String.raw`\(write\) for 250\.0 ms at \S*track-lifecycle\.ts:\d+`;
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(`stuck for more than 250 ms\ntracksMu\n {2}held ${where}\n {2}wanted ${where}$`),
      ),
    ]);
    await harness.sender.close();
  });
});
