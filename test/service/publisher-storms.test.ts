import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { Publisher } from '../../src/service/publishers/publisher.js';
import { codeOf, WIDTH } from '../sender/sender-harness.js';
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
  view: async (robot) => robot.trackView('arm'),
};

/** What becomes of the sources of the cameras in a storm. */
type Weather = 'well' | 'slow' | 'failing' | 'hanging';

/** What a call may come to that meets others: it works, or it is told in so many words what was there before it. */
const EXPECTED = new Set([
  undefined,
  'CLOSED',
  'INVALID_DOCUMENT',
  'LEASE_HELD',
  'PUBLISHER_CLOSED',
  'PUBLISHER_EXISTS',
  'PUBLISHER_NOT_FOUND',
  'SOURCE_FAILED',
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

describe('deleting a camera', () => {
  it.each(['opened', 'paused before an opening', 'opened again', 'given another size'])(
    'while its source is being %s leaves nothing behind, and its id is gone and then free',
    async (phase) => {
      const harness = new ServiceHarness();
      const robot = await harness.publisher('robot', ['rear']);
      const hang = (): Promise<void> => new Promise(() => undefined);
      if (phase === 'opened') harness.starting = hang;
      robot.keepTrying({ id: 'front', source: 'front' });
      await settle();
      const source = harness.sources.at(-1);
      if (phase === 'paused before an opening') source?.sink?.ended(new FramelockError('SOURCE_UNPLUGGED', 'cable'));
      if (phase === 'opened again') {
        source?.sink?.ended(new FramelockError('SOURCE_UNPLUGGED', 'cable'));
        harness.starting = hang;
        await harness.clock.advance(1000);
      }
      if (phase === 'given another size' && source !== undefined) {
        harness.gates.hold('open');
        source.format = { ...source.format, width: WIDTH * 2 };
        void source.sink?.formatChanged?.(source.format);
      }
      await settle();
      const { generation } = robot.trackView('front');
      const removed = robot.removeTrack('front', generation);
      harness.gates.open('open');
      await removed;
      expect(await codeOf(robot.removeTrack('front', generation))).toBe('TRACK_REMOVED');
      expect(harness.sources.filter(({ sink }) => sink !== undefined).map(({ name }) => name)).toEqual(['rear']);
      harness.starting = async () => undefined;
      await robot.addTrack({ id: 'front', source: 'front' });
      expect(await codeOf(robot.removeTrack('front', generation))).toBe('TRACK_REMOVED');
      await harness.registry.closeAll();
      expect(harness.encoders.alive).toBe(0);
      expect(harness.clock.pendingTimers).toBe(0);
    },
  );
});

describe('storms of calls', () => {
  const step = fc.record({
    call: fc.constantFrom('create', 'close', 'source ends', 'source changes', ...Object.keys(CALLS)),
    weather: fc.constantFrom<Weather[]>('well', 'well', 'slow', 'failing', 'hanging'),
    id: fc.constantFrom('one', 'two'),
    waitMs: fc.constantFrom(0, 0, 0, 50, 300),
  });

  it('end in what was asked for or a typed error, and leave nothing when all is closed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const harness = new ServiceHarness();
        const { registry } = harness;
        let weather: Weather = 'well';
        harness.starting = async () => {
          if (weather === 'failing') throw new FramelockError('SOURCE_FAILED', 'bad weather');
          if (weather === 'slow') await new Promise<void>((resolve) => harness.clock.setTimer(120, resolve));
          if (weather === 'hanging') await new Promise(() => undefined);
        };
        const outcomes: Promise<string | undefined>[] = [];
        for (const { call, id, waitMs, weather: next } of steps) {
          weather = next;
          const running = harness.sources.findLast(({ sink }) => sink !== undefined);
          const run = async (): Promise<unknown> => {
            if (call === 'source ends') return running?.sink?.ended(new FramelockError('SOURCE_UNPLUGGED', 'cable'));
            if (call === 'source changes') return running?.resize();
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
        // What was slow to open rings into the void.
        await harness.clock.advance(200);
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
