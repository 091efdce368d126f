import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { MAX_ROOMS, RoomRegistry } from '../../src/loopback/room/room-registry.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import { fixedRandom } from '../support/fixed-random.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { offerSdp, videoSection } from './sdp-fixtures.js';

const OFFER = parseOffer(offerSdp());
const VIEWER = parseOffer(offerSdp({ media: [videoSection('0', 'recvonly')] }));
const clock = new VirtualClock();
const opened: RoomRegistry[] = [];

function makeRegistry(): RoomRegistry {
  const registry = new RoomRegistry({ clock, random: fixedRandom(1), logger: silentLogger, arrived: () => undefined });
  opened.push(registry);
  return registry;
}

/** libuv forgets a closed handle one turn later. */
async function udpSockets(): Promise<number> {
  await settle();
  return process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((registry) => registry.close()));
});

describe('RoomRegistry', () => {
  it('close() waits for sessions that are just being opened, and leaves none of them', async () => {
    const registry = makeRegistry();
    const room = registry.enter('demo');
    const refused: unknown[] = [];
    for (const join of [room.publish(OFFER), room.view(VIEWER)]) join.catch((error: unknown) => refused.push(error));
    await registry.close();
    expect(refused).toEqual([expect.objectContaining({ code: 'CLOSED' }), expect.objectContaining({ code: 'CLOSED' })]);
    expect(await udpSockets()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('close() waits for sessions that are just being closed', async () => {
    const registry = makeRegistry();
    const room = registry.enter('demo');
    const { id } = await room.publish(OFFER);
    room.end(id);
    await registry.close();
    expect(await udpSockets()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives a peer that never connects up after 10 s', async () => {
    const registry = makeRegistry();
    await registry.enter('demo').publish(OFFER);
    await clock.advance(10_000);
    expect(registry.snapshots()).toHaveLength(1);
    await clock.advance(1_000);
    expect(registry.snapshots()).toEqual([]);
    expect(await udpSockets()).toBe(0);
  });

  it('forgets a room when its last session has ended', async () => {
    const registry = makeRegistry();
    const room = registry.enter('demo');
    const publisher = await room.publish(OFFER);
    const viewer = await room.view(VIEWER);
    room.end(publisher.id);
    expect(registry.find('demo')).toBe(room);
    room.end(viewer.id);
    expect(registry.find('demo')).toBeUndefined();
  });

  it('makes no more rooms than it can, and none after close', async () => {
    const registry = makeRegistry();
    for (let index = 0; index < MAX_ROOMS; index += 1) registry.enter(`room-${index}`);
    expect(() => registry.enter('one-more')).toThrow(expect.objectContaining({ status: 503 }));
    await registry.close();
    expect(() => registry.enter('room-0')).toThrow(expect.objectContaining({ status: 503 }));
  });

  it.each(['', 'a b', '../x', 'x'.repeat(65)])('does not make a room named %j', (name) => {
    expect(() => makeRegistry().enter(name)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
