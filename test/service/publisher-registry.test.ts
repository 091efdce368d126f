import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { MAX_PUBLISHERS } from '../../src/service/publishers/publisher-registry.js';
import { codeOf, gate, HEIGHT, WIDTH } from '../sender/sender-harness.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

let harness: ServiceHarness;

beforeEach(() => {
  harness = new ServiceHarness();
});

afterEach(async () => {
  await harness.registry.closeAll();
  expect(harness.clock.pendingTimers).toBe(0);
  expect(harness.gates.waiting).toBe(0);
});

/** Code of what a synchronous call throws. */
function thrown(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof FramelockError ? error.code : `uncoded: ${String(error)}`;
  }
}

describe('publishers', () => {
  it('begin with their cameras and connect as soon as one is live', async () => {
    const robot = await harness.publisher('robot', ['front', 'rear']);
    expect(robot.state).toBe('connected');
    expect(robot.view().tracks.map(({ id, state }) => [id, state])).toEqual([
      ['front', 'live'],
      ['rear', 'live'],
    ]);
  });

  it('are told of without a snapshot of all statistics, which would cost the square of their cameras', async () => {
    const robot = await harness.publisher('robot', ['front', 'rear']);
    const [sender] = harness.senders;
    if (sender === undefined) throw new Error('no sender');
    const snapshots = vi.spyOn(sender, 'getStats');
    expect(robot.view().tracks.map(({ codec, health }) => [codec, health])).toEqual([
      ['vp8', 'waiting'],
      ['vp8', 'waiting'],
    ]);
    expect(snapshots).not.toHaveBeenCalled();
  });

  it('have nothing to connect for without a camera, and connect with the first', async () => {
    const robot = await harness.publisher('robot', []);
    expect(robot.state).toBe('idle');
    await robot.addTrack({ id: 'front', source: 'front' });
    await settle();
    expect(robot.state).toBe('connected');
  });

  it('come up although the SFU is not there yet', async () => {
    const robot = harness.registry.create(
      { id: 'robot', sfu: { whip: { url: 'http://sfu.invalid' } }, tracks: [{ id: 'front', source: 'front' }] },
      'config',
    );
    const [network] = harness.networks;
    if (network === undefined) throw new Error('no network');
    network.gate = (step) => {
      if (step === 'connect') throw new FramelockError('CONNECT_FAILED', 'no way');
    };
    await harness.clock.advance(5000);
    expect(robot.state).toBe('connecting');
    network.gate = undefined;
    await harness.clock.advance(10_000);
    expect(robot.state).toBe('connected');
  });

  it('are told apart: unknown, in use, closed, and closed with another one of that id', async () => {
    const { registry } = harness;
    expect(thrown(() => registry.pin('robot'))).toBe('PUBLISHER_NOT_FOUND');
    const first = await harness.publisher('robot', []);
    expect(thrown(() => registry.create(first.spec, 'api'))).toBe('PUBLISHER_EXISTS');
    await registry.close(first);
    expect(thrown(() => registry.pin('robot'))).toBe('PUBLISHER_CLOSED');
    const second = await harness.publisher('robot', []);
    expect(registry.pin('robot')).toBe(second);
    expect(thrown(() => registry.pin('robot', first.generation))).toBe('PUBLISHER_CLOSED');
    expect(thrown(() => registry.pin('robot', second.generation + 1))).toBe('PUBLISHER_NOT_FOUND');
    expect(await codeOf(first.addTrack({ id: 'front', source: 'front' }))).toBe('PUBLISHER_CLOSED');
    expect(second.view().tracks).toEqual([]);
  });

  it('keep their id until they are closed altogether, and answer nothing from the call on', async () => {
    const { registry } = harness;
    const robot = await harness.publisher('robot', ['front']);
    harness.gates.hold('close');
    const closing = registry.close(robot);
    expect(thrown(() => registry.pin('robot'))).toBe('PUBLISHER_CLOSED');
    expect(thrown(() => registry.create(robot.spec, 'api'))).toBe('PUBLISHER_EXISTS');
    await settle();
    harness.gates.open('close');
    await closing;
    expect(await codeOf(registry.close(robot))).toBeUndefined();
    await harness.publisher('robot', []);
    expect(registry.pin('robot')).not.toBe(robot);
  });

  it('are limited in number', async () => {
    for (let index = 0; index < MAX_PUBLISHERS; index += 1) await harness.publisher(`robot-${index}`, []);
    const { spec } = harness.registry.pin('robot-0');
    expect(thrown(() => harness.registry.create({ ...spec, id: 'one-more' }, 'api'))).toBe('LIMIT_REACHED');
  });

  it('leave no trace when they cannot be made', async () => {
    const spec = { id: 'robot', sfu: { whip: { url: 'http://sfu.invalid' } }, bitrateBps: Number.NaN };
    expect(thrown(() => harness.registry.create(spec, 'api'))).toBe('INVALID_BITRATE');
    expect(thrown(() => harness.registry.pin('robot'))).toBe('PUBLISHER_NOT_FOUND');
    expect(harness.events).toEqual([]);
  });
});

describe('tracks of a publisher', () => {
  it('are told apart: unknown, in use, not ready, removed, and removed with another one of that id', async () => {
    const robot = await harness.publisher('robot', ['rear']);
    expect(thrown(() => robot.forceKeyFrame('front'))).toBe('TRACK_NOT_FOUND');
    const starting = gate();
    harness.starting = () => starting.promise;
    const adding = robot.addTrack({ id: 'front', source: 'front' });
    expect(thrown(() => robot.forceKeyFrame('front'))).toBe('TRACK_NOT_READY');
    expect(await codeOf(robot.addTrack({ id: 'front', source: 'front' }))).toBe('TRACK_EXISTS');
    starting.open();
    const first = await adding;
    expect(first).toMatchObject({ state: 'live', generation: 3 });
    await robot.removeTrack('front', first.generation);
    expect(thrown(() => robot.forceKeyFrame('front'))).toBe('TRACK_REMOVED');
    const second = await robot.addTrack({ id: 'front', source: 'front' });
    expect(thrown(() => robot.forceKeyFrame('front', { generation: first.generation }))).toBe('TRACK_REMOVED');
    expect(thrown(() => robot.forceKeyFrame('front', { generation: second.generation }))).toBeUndefined();
  });

  it('are never taken for one of an earlier publisher of the same id', async () => {
    const first = await harness.publisher('robot', ['front']);
    const { generation } = first.trackView('front');
    await harness.registry.close(first);
    const second = await harness.publisher('robot', ['front']);
    expect(second.trackView('front').generation).toBeGreaterThan(generation);
    expect(thrown(() => second.forceKeyFrame('front', { generation }))).toBe('TRACK_REMOVED');
  });

  it('can be removed while they start: the call that adds them is told, and nothing runs', async () => {
    const robot = await harness.publisher('robot', ['rear']);
    const starting = gate();
    harness.starting = () => starting.promise;
    const adding = codeOf(robot.addTrack({ id: 'front', source: 'front' }));
    const removing = robot.removeTrack('front');
    starting.open();
    expect(await adding).toBe('TRACK_REMOVED');
    await removing;
    expect(robot.view().tracks.map(({ id }) => id)).toEqual(['rear']);
    expect(robot.stats().tracks).toHaveLength(1);
    expect(harness.sources.at(-1)?.stops).toBeGreaterThan(0);
  });

  it('that the API adds and that cannot start are not there', async () => {
    const robot = await harness.publisher('robot', ['rear']);
    harness.starting = async () => {
      throw new FramelockError('SOURCE_NOT_FOUND', 'there is no such file');
    };
    expect(await codeOf(robot.addTrack({ id: 'front', source: 'front' }))).toBe('SOURCE_NOT_FOUND');
    expect(robot.view().tracks.map(({ id }) => id)).toEqual(['rear']);
  });

  it('that were configured are tried again until they start, and say why they do not', async () => {
    harness.starting = async (name) => {
      if (name === 'front') throw new FramelockError('SOURCE_FAILED', 'unplugged');
    };
    const robot = await harness.publisher('robot', ['front', 'rear']);
    expect(robot.trackView('front')).toMatchObject({ state: 'failed', reason: 'unplugged' });
    expect(robot.state).toBe('connected');
    harness.starting = async () => undefined;
    await harness.clock.advance(1000);
    expect(robot.trackView('front')).toMatchObject({ state: 'live' });
    expect(robot.trackView('front')).not.toHaveProperty('reason');
  });

  it('are given up when their publisher closes while they start', async () => {
    const starting = gate();
    harness.starting = () => starting.promise;
    const robot = await harness.publisher('robot', ['front']);
    const closing = harness.registry.close(robot);
    starting.open();
    await closing;
    expect(harness.sources[0]?.sink).toBeUndefined();
    expect(robot.stats().tracks).toEqual([]);
  });

  it('stay when their source goes, say so, and go on with the next one', async () => {
    const robot = await harness.publisher('robot', ['front']);
    harness.sources[0]?.sink?.ended(new FramelockError('SOURCE_UNPLUGGED', 'the cable'));
    await settle();
    expect(robot.trackView('front')).toMatchObject({
      state: 'live',
      source: { state: 'unplugged', reason: 'the cable', reopened: 0 },
    });
    await harness.clock.advance(500);
    expect(robot.trackView('front')).toMatchObject({ state: 'live', source: { state: 'live', reopened: 1 } });
    expect(robot.trackView('front').source).not.toHaveProperty('reason');
    expect(harness.sources).toHaveLength(2);
    expect(harness.eventsOf('source-state').map(({ trackId, data }) => [trackId, data['state']])).toEqual([
      ['front', 'live'],
      ['front', 'unplugged'],
      ['front', 'live'],
    ]);
  });

  it('go on without losing a frame while the source of another one fails and comes back in another size', async () => {
    const robot = await harness.publisher('robot', ['front', 'rear']);
    const rear = harness.sources[1];
    let given = 0;
    const deliver = async (frames: number): Promise<void> => {
      for (let frame = 0; frame < frames; frame += 1) {
        const data = new Uint8Array((WIDTH * HEIGHT * 3) / 2);
        const timestamp = harness.clock.nowUs();
        rear?.sink?.frame({ format: 'I420', codedWidth: WIDTH, codedHeight: HEIGHT, data, timestamp });
        given += 1;
        await harness.clock.advance(33);
      }
    };
    await deliver(10);
    harness.starting = () => Promise.reject(new FramelockError('SOURCE_FAILED', 'bad weather'));
    harness.sources[0]?.sink?.ended(new FramelockError('SOURCE_UNPLUGGED', 'the cable'));
    await deliver(60);
    expect(robot.trackView('front').source.state).toBe('reopening');
    harness.starting = async (name) => {
      const source = harness.sources.findLast((candidate) => candidate.name === name);
      if (source !== undefined) source.format = { ...source.format, width: WIDTH * 2 };
    };
    await deliver(300);
    expect(robot.trackView('front').source.state).toBe('live');
    const stats = robot.stats().tracks.find(({ trackId }) => trackId === 'rear');
    expect([stats?.frames, stats?.framesSent]).toEqual([given, given]);
    expect(robot.trackView('rear').source).toEqual({ state: 'live', reopened: 0 });
  });
});
