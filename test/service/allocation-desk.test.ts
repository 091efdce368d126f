import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { Publisher } from '../../src/service/publishers/publisher.js';
import { InvalidDocument } from '../../src/service/schema/invalid-document.js';
import { codeOf } from '../sender/sender-harness.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

let harness: ServiceHarness;
let robot: Publisher;

const PRESETS = {
  drive: { tracks: { front: { weight: 3 }, rear: { weight: 1 }, arm: { weight: 5 } } },
  park: { tracks: { front: { paused: true }, rear: { weight: 0 } } },
};

beforeEach(async () => {
  harness = new ServiceHarness();
  robot = await harness.publisher('robot', ['front', 'rear'], { presets: PRESETS });
});

afterEach(async () => {
  await harness.registry.closeAll();
  expect(harness.clock.pendingTimers).toBe(0);
});

/** What each camera is granted now. */
function granted(): Record<string, number> {
  return Object.fromEntries(robot.stats().tracks.map(({ trackId, targetBitrate }) => [trackId, targetBitrate]));
}

/** The violations with which a request is refused, as "path rule". */
async function violations(outcome: Promise<unknown>): Promise<readonly string[]> {
  try {
    await outcome;
  } catch (error) {
    if (error instanceof InvalidDocument) return error.violations.map(({ path, rule }) => `${path} ${rule}`);
    throw error;
  }
  return [];
}

const LEASE = { owner: 'autopilot', ttlMs: 1000 };
const FRONT = { tracks: { front: { weight: 3 } } };
const REAR = { tracks: { rear: { weight: 3 } } };

describe('an allocation', () => {
  it('divides by weight, with the defaults for cameras that are not named', async () => {
    expect(robot.allocation.view()).toMatchObject({ revision: 1, inForce: 'base' });
    const view = await robot.allocation.put(FRONT);
    expect(view).toMatchObject({ revision: 2, inForce: 'base', dryRun: false });
    expect(view.base.tracks['front']).toEqual({
      weight: 3,
      minBps: 0,
      priority: 0,
      enforceMinimum: false,
      paused: false,
    });
    expect(view.grants).toEqual([
      { trackId: 'front', targetBps: 1_500_000, paused: false, reason: 'weight' },
      { trackId: 'rear', targetBps: 500_000, paused: false, reason: 'weight' },
    ]);
    expect(granted()).toEqual({ front: 1_500_000, rear: 500_000 });
  });

  it('pauses and wakes cameras', async () => {
    const paused = await robot.allocation.put({ tracks: { rear: { weight: 2, paused: true } } });
    expect(paused.grants[1]).toEqual({ trackId: 'rear', targetBps: 0, paused: true, reason: 'paused-by-weight' });
    await robot.allocation.put({ tracks: {} });
    expect(granted()).toEqual({ front: 1_000_000, rear: 1_000_000 });
  });

  it('is refused with the path of every field that is wrong, and changes nothing then', async () => {
    await robot.allocation.put(FRONT);
    const wrong = { tracks: { front: { minBps: 5, maxBps: 4 }, 'no/ne': {}, rear: { weight: 9 } } };
    expect(await violations(robot.allocation.put(wrong))).toEqual([
      '/tracks/front/minBps minimum-above-maximum',
      '/tracks/no~1ne unknown-track',
    ]);
    expect(
      await violations(robot.allocation.put({ tracks: { front: { weight: 0 }, rear: { paused: true } } })),
    ).toEqual(['/tracks all-paused']);
    expect(await violations(robot.allocation.put({}))).toEqual([' tracks-or-preset']);
    expect(await violations(robot.allocation.put({ ...FRONT, preset: 'drive' }))).toEqual([' tracks-or-preset']);
    expect(await violations(robot.allocation.put({ preset: 'toString' }))).toEqual(['/preset unknown-preset']);
    expect(await violations(robot.allocation.put({ preset: 'park' }))).toEqual(['/preset all-paused']);
    expect(robot.allocation.view().revision).toBe(2);
    expect(granted()).toEqual({ front: 1_500_000, rear: 500_000 });
  });

  it('leaves everything as it was when an encoder cannot be opened', async () => {
    await robot.allocation.put({ tracks: { rear: { paused: true } } });
    harness.encoders.openError = new FramelockError('ENCODER_OPEN_FAILED', 'no memory');
    expect(await codeOf(robot.allocation.put(FRONT))).toBe('ENCODER_OPEN_FAILED');
    expect(robot.allocation.view().revision).toBe(2);
    expect(granted()).toEqual({ front: 2_000_000, rear: 0 });
  });

  it('tells what would be without changing anything', async () => {
    const view = await robot.allocation.put({ ...FRONT, lease: LEASE }, { dryRun: true });
    expect(view).toMatchObject({ dryRun: true, revision: 2, inForce: 'lease' });
    expect(view.grants.map(({ targetBps }) => targetBps)).toEqual([1_500_000, 500_000]);
    expect(robot.allocation.view()).toMatchObject({ dryRun: false, revision: 1, inForce: 'base' });
    expect(granted()).toEqual({ front: 1_000_000, rear: 1_000_000 });
  });

  it('is changed by one of two who have read the same revision', async () => {
    const ifMatch = robot.allocation.tag;
    const outcomes = [
      codeOf(robot.allocation.put(FRONT, { ifMatch })),
      codeOf(robot.allocation.put(REAR, { ifMatch })),
    ];
    expect(await Promise.all(outcomes)).toEqual([undefined, 'REVISION_MISMATCH']);
    expect(granted()).toEqual({ front: 1_500_000, rear: 500_000 });
    expect(await codeOf(robot.allocation.put(REAR, { ifMatch: `"0-1", ${robot.allocation.tag}` }))).toBeUndefined();
    expect(await codeOf(robot.allocation.put(FRONT, { ifMatch: '*' }))).toBeUndefined();
    expect(await codeOf(robot.allocation.put(FRONT, { ifMatch: `W/${robot.allocation.tag}` }))).toBe(
      'REVISION_MISMATCH',
    );
  });

  it('knows presets, which may name cameras that are not there, and counts those when they come', async () => {
    const view = await robot.allocation.put({ preset: 'drive' });
    expect(view.base.preset).toBe('drive');
    expect(view.presets).toEqual(['drive', 'park']);
    expect(granted()).toEqual({ front: 1_500_000, rear: 500_000 });
    await robot.addTrack({ id: 'arm', source: 'arm' });
    expect(granted()).toEqual({ front: 666_666, rear: 222_222, arm: 1_111_111 });
  });

  it('gives a camera that comes later its share at once while all shares are equal', async () => {
    await robot.addTrack({ id: 'arm', source: 'arm' });
    expect(granted()).toEqual({ front: 666_666, rear: 666_666, arm: 666_666 });
    expect(robot.stats().tracks.map(({ encoderSwaps }) => encoderSwaps)).toEqual([0, 0, 0]);
  });

  it('is closed with its publisher, also for those who wait for their turn', async () => {
    harness.gates.hold('open');
    await robot.allocation.put({ tracks: { rear: { paused: true } } });
    const waking = codeOf(robot.allocation.put(REAR));
    const waiting = codeOf(robot.allocation.put(FRONT));
    await settle();
    const closing = harness.registry.close(robot);
    await settle();
    harness.gates.open('open');
    expect(await waking).toBe('CLOSED');
    expect(await waiting).toBe('PUBLISHER_CLOSED');
    await closing;
    expect(await codeOf(robot.allocation.put(FRONT))).toBe('PUBLISHER_CLOSED');
  });
});

describe('a lease on an allocation', () => {
  it('reverts to the base when its owner does not repeat it', async () => {
    await robot.allocation.put(REAR);
    const view = await robot.allocation.put({ ...FRONT, lease: LEASE });
    expect(view).toMatchObject({ inForce: 'lease', revision: 3, lease: { owner: 'autopilot', expiresInMs: 1000 } });
    await harness.clock.advance(999);
    expect(granted()).toEqual({ front: 1_500_000, rear: 500_000 });
    await harness.clock.advance(1);
    expect(granted()).toEqual({ front: 500_000, rear: 1_500_000 });
    expect(robot.allocation.view()).toMatchObject({ inForce: 'base', revision: 4 });
    expect(robot.allocation.view()).not.toHaveProperty('lease');
  });

  it('is renewed by repeating it, and keeps its revision as long as it asks for the same', async () => {
    const first = await robot.allocation.put({ ...FRONT, lease: LEASE });
    for (let renewals = 0; renewals < 5; renewals += 1) {
      await harness.clock.advance(900);
      const view = await robot.allocation.put({ ...FRONT, lease: LEASE }, { ifMatch: robot.allocation.tag });
      expect(view).toMatchObject({ revision: first.revision, inForce: 'lease' });
    }
    const changed = await robot.allocation.put({ ...REAR, lease: LEASE });
    expect(changed.revision).toBe(first.revision + 1);
    await harness.clock.advance(1000);
    expect(granted()).toEqual({ front: 1_000_000, rear: 1_000_000 });
  });

  it('keeps others out until it expires, whether or not they want a lease', async () => {
    await robot.allocation.put({ ...FRONT, lease: LEASE });
    const other = { ...REAR, lease: { owner: 'console', ttlMs: 1000 } };
    expect(await codeOf(robot.allocation.put(other))).toBe('LEASE_HELD');
    expect(await codeOf(robot.allocation.put(REAR))).toBe('LEASE_HELD');
    expect(await codeOf(robot.allocation.endLease('console'))).toBe('LEASE_HELD');
    expect(granted()).toEqual({ front: 1_500_000, rear: 500_000 });
    await harness.clock.advance(1000);
    expect(await codeOf(robot.allocation.put(other))).toBeUndefined();
  });

  it('can be taken over by those who say so, and the former owner is kept out then', async () => {
    await robot.allocation.put({ ...FRONT, lease: LEASE });
    const other = { ...REAR, lease: { owner: 'console', ttlMs: 5000 }, takeover: true };
    expect(await robot.allocation.put(other)).toMatchObject({ lease: { owner: 'console' } });
    expect(await codeOf(robot.allocation.put({ ...FRONT, lease: LEASE }))).toBe('LEASE_HELD');
    await harness.clock.advance(1000);
    expect(granted()).toEqual({ front: 500_000, rear: 1_500_000 });
    expect(await robot.allocation.put({ ...FRONT, takeover: true })).toMatchObject({ inForce: 'base' });
    await harness.clock.advance(10_000);
    expect(granted()).toEqual({ front: 1_500_000, rear: 500_000 });
  });

  it('can be ended by its owner before its time', async () => {
    await robot.allocation.put({ ...FRONT, lease: LEASE });
    expect(await robot.allocation.endLease('autopilot')).toMatchObject({ inForce: 'base', revision: 3 });
    expect(granted()).toEqual({ front: 1_000_000, rear: 1_000_000 });
    expect(await robot.allocation.endLease('autopilot')).toMatchObject({ revision: 3 });
  });

  it('that cannot be reverted is reverted as soon as it can be', async () => {
    await robot.allocation.put({ tracks: { rear: { paused: true } }, lease: LEASE });
    harness.encoders.openError = new FramelockError('ENCODER_OPEN_FAILED', 'no memory');
    await harness.clock.advance(1000);
    expect(granted()).toEqual({ front: 2_000_000, rear: 0 });
    harness.encoders.openError = undefined;
    await harness.clock.advance(1000);
    expect(granted()).toEqual({ front: 1_000_000, rear: 1_000_000 });
  });

  it('that is renewed as it runs out goes on: the reversion finds it renewed', async () => {
    await robot.allocation.put({ tracks: { rear: { paused: true } }, lease: LEASE });
    harness.gates.hold('open');
    await harness.clock.advance(900);
    const renewal = robot.allocation.put({ ...REAR, lease: { ...LEASE, ttlMs: 5000 } });
    await harness.clock.advance(200);
    harness.gates.open('open');
    expect(await renewal).toMatchObject({ inForce: 'lease' });
    await settle();
    expect(robot.allocation.view()).toMatchObject({ inForce: 'lease', revision: 3 });
    expect(granted()).toEqual({ front: 500_000, rear: 1_500_000 });
  });

  it('ends with its publisher, however often it was renewed', async () => {
    await robot.allocation.put({ ...FRONT, lease: LEASE });
    await robot.allocation.put({ ...FRONT, lease: LEASE });
    await harness.registry.close(robot);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  it('is told of by events', async () => {
    await robot.allocation.put({ ...FRONT, lease: LEASE });
    await robot.allocation.put({ ...FRONT, lease: LEASE });
    await harness.clock.advance(1000);
    const told = harness.eventsOf('allocation').map(({ data }) => [data['revision'], data['inForce'], data['owner']]);
    expect(told).toEqual([
      [2, 'lease', 'autopilot'],
      [3, 'base', undefined],
    ]);
  });
});
