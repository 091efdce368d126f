import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Publisher } from '../../src/service/publishers/publisher.js';
import { MAX_PUBLISHERS } from '../../src/service/publishers/publisher-registry.js';
import { reconcile } from '../../src/service/publishers/reconcile.js';
import type { PublisherSpec } from '../../src/service/schema/publisher-schema.js';
import { codeOf } from '../sender/sender-harness.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

const SFU = { whip: { url: 'http://sfu.invalid' } };
const ROBOT: PublisherSpec = {
  id: 'robot',
  sfu: SFU,
  tracks: [
    { id: 'front', source: 'front' },
    { id: 'rear', source: 'rear' },
  ],
  presets: { drive: { tracks: { front: { weight: 3 } } } },
};
const LEASE = { owner: 'autopilot', ttlMs: 1000 };

let harness: ServiceHarness;
let robot: Publisher;

beforeEach(async () => {
  harness = new ServiceHarness();
  robot = harness.registry.create(ROBOT, 'config');
  await settle();
});

afterEach(async () => {
  await harness.registry.closeAll();
  expect(harness.clock.pendingTimers).toBe(0);
});

function reload(...specs: readonly PublisherSpec[]) {
  return reconcile(harness.registry, structuredClone(specs));
}

function granted(): readonly number[] {
  return robot.stats().tracks.map(({ targetBitrate }) => targetBitrate);
}

describe('a reload', () => {
  it('changes the bitrate, the base allocation and the presets while connection and cameras go on', async () => {
    const next = {
      ...ROBOT,
      bitrateBps: 1_000_000,
      allocation: { tracks: { front: { weight: 4 } } },
      presets: { park: { tracks: { front: { paused: true } } } },
    };
    expect(await reload(next)).toEqual({
      created: [],
      closed: [],
      changed: ['robot'],
      tracksAdded: [],
      tracksRemoved: [],
      untouched: [],
    });
    expect(harness.registry.pin('robot')).toBe(robot);
    expect(harness.networks).toHaveLength(1);
    expect(harness.sources.map(({ stops }) => stops)).toEqual([0, 0]);
    expect(granted()).toEqual([800_000, 200_000]);
    expect(robot.allocation.view()).toMatchObject({ revision: 2, presets: ['park'] });
    await robot.allocation.put({ preset: 'park' });
    expect(granted()).toEqual([0, 1_000_000]);
    expect(await reload(next)).toMatchObject({ changed: [], untouched: ['robot'] });
  });

  it('leaves what a controller has put, unless the configuration says another base allocation than before', async () => {
    await robot.allocation.put({ tracks: { rear: { weight: 3 } } });
    await reload({ ...ROBOT, presets: {} });
    expect(granted()).toEqual([500_000, 1_500_000]);
    await reload({ ...ROBOT, presets: {}, allocation: { tracks: { front: { weight: 3 } } } });
    expect(granted()).toEqual([1_500_000, 500_000]);
  });

  it('leaves a lease in force, after which the new base allocation comes back', async () => {
    await robot.allocation.put({ tracks: { rear: { weight: 3 } }, lease: LEASE });
    await reload({ ...ROBOT, allocation: { tracks: { front: { weight: 3 } } } });
    expect(robot.allocation.view()).toMatchObject({ inForce: 'lease', lease: { owner: 'autopilot' } });
    expect(granted()).toEqual([500_000, 1_500_000]);
    await harness.clock.advance(LEASE.ttlMs);
    expect(granted()).toEqual([1_500_000, 500_000]);
  });

  it('makes a publisher anew of which anything else has changed', async () => {
    expect(await reload({ ...ROBOT, congestionControl: 'fixed' })).toMatchObject({
      closed: ['robot'],
      created: ['robot'],
    });
    expect(harness.registry.pin('robot')).not.toBe(robot);
  });

  it('changes nothing where the API has made a publisher of a configured id', async () => {
    await harness.publisher('guest', []);
    const reloading = reload({ ...ROBOT, congestionControl: 'fixed' }, { id: 'guest', sfu: SFU });
    expect(await codeOf(reloading)).toBe('PUBLISHER_EXISTS');
    expect(harness.registry.pin('robot')).toBe(robot);
    expect(robot.state).toBe('connected');
  });

  it('changes nothing where there would be too many publishers', async () => {
    await harness.publisher('guest', []);
    const many = Array.from({ length: MAX_PUBLISHERS }, (_, index) => ({ id: `p${index}`, sfu: SFU }));
    expect(await codeOf(reload(...many))).toBe('LIMIT_REACHED');
    expect(harness.registry.pin('robot')).toBe(robot);
  });
});
