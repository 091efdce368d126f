import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Publisher } from '../../src/service/publishers/publisher.js';
import { codeOf } from '../sender/sender-harness.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

/** Calls on a publisher that has the cameras `front` and `rear`. */
const CALLS: Readonly<Record<string, (robot: Publisher) => Promise<unknown>>> = {
  addTrack: (robot) => robot.addTrack({ id: 'arm', source: 'arm' }),
  removeTrack: (robot) => robot.removeTrack('front'),
  forceKeyFrame: async (robot) => robot.forceKeyFrame('front'),
  recreateEncoder: (robot) => robot.recreateEncoder('rear'),
  pause: (robot) => robot.allocation.put({ tracks: { rear: { paused: true } } }),
  wake: (robot) => robot.allocation.put({ tracks: {} }),
  lease: (robot) => robot.allocation.put({ tracks: { front: { weight: 2 } }, lease: { owner: 'a', ttlMs: 100 } }),
  endLease: (robot) => robot.allocation.endLease('a'),
  stats: async (robot) => robot.stats(),
};

/** What a call may come to that meets others: it works, or it is told in so many words what was there before it. */
const EXPECTED = new Set([
  undefined,
  'CLOSED',
  'INVALID_DOCUMENT',
  'LEASE_HELD',
  'PUBLISHER_CLOSED',
  'PUBLISHER_EXISTS',
  'PUBLISHER_NOT_FOUND',
  'TRACK_EXISTS',
  'TRACK_NOT_FOUND',
  'TRACK_NOT_READY',
  'TRACK_REMOVED',
]);

describe('closing a publisher', () => {
  it.each(Object.keys(CALLS))('in the middle of %s leaves nothing behind', async (name) => {
    const harness = new ServiceHarness();
    const robot = await harness.publisher('robot', ['front', 'rear']);
    const outcome = codeOf(CALLS[name]?.(robot) ?? Promise.resolve());
    await harness.registry.close(robot);
    expect(EXPECTED).toContain(await outcome);
    expect(harness.encoders.alive).toBe(0);
    expect(harness.sources.every(({ sink }) => sink === undefined)).toBe(true);
    expect(harness.clock.pendingTimers).toBe(0);
  });
});

describe('storms of calls', () => {
  const step = fc.record({
    call: fc.constantFrom('create', 'close', ...Object.keys(CALLS)),
    id: fc.constantFrom('one', 'two'),
    waitMs: fc.constantFrom(0, 0, 0, 50, 300),
  });

  it('end in what was asked for or a typed error, and leave nothing when all is closed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const harness = new ServiceHarness();
        const { registry } = harness;
        const outcomes: Promise<string | undefined>[] = [];
        for (const { call, id, waitMs } of steps) {
          const run = async (): Promise<unknown> => {
            if (call === 'close') return registry.close(registry.pin(id));
            if (call !== 'create') return CALLS[call]?.(registry.pin(id));
            const tracks = [
              { id: 'front', source: 'front' },
              { id: 'rear', source: 'rear' },
            ];
            return registry.create({ id, sfu: { whip: { url: 'http://sfu.invalid' } }, tracks }, 'api');
          };
          outcomes.push(codeOf(run()));
          if (waitMs > 0) await harness.clock.advance(waitMs);
        }
        await settle();
        await registry.closeAll();
        expect((await Promise.all(outcomes)).filter((code) => !EXPECTED.has(code))).toEqual([]);
        expect(harness.encoders.alive).toBe(0);
        expect(harness.encoders.violations).toEqual([]);
        expect(harness.sources.every(({ sink }) => sink === undefined)).toBe(true);
        expect(harness.clock.pendingTimers).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
