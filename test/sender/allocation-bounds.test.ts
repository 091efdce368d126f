import { afterEach, describe, expect, it } from 'vitest';
import type { SenderEvents } from '../../src/sender/sender-events.js';
import { SenderHarness } from './sender-harness.js';

/** The front camera is driven by; each is worth sending with 300 kbit/s or more. */
const DRIVE = { front: { minBps: 300_000, priorityClass: 1 }, rear: { minBps: 300_000 } };

let harness: SenderHarness;
let activity: SenderEvents['trackActivity'][];

afterEach(async () => {
  await harness.sender.close();
  expect(harness.encoders.violations).toEqual([]);
  harness.expectBalance();
});

async function drive(startBitrateBps: number): Promise<void> {
  harness = await new SenderHarness({ startBitrateBps }).connected('front', 'rear');
  await harness.sender.setBitrateAllocation(DRIVE);
  await harness.send('front');
  await harness.send('rear');
  activity = [];
  harness.sender.on('trackActivity', (change) => void activity.push(change));
}

function granted(): (readonly [number, string | undefined])[] {
  return harness.sender.getStats().tracks.map((track) => [track.targetBitrate, track.allocationReason]);
}

describe('a track with a minimum', () => {
  it('is paused at once where the target is far from covering it, the lower class first, and says why', async () => {
    await drive(1_000_000);
    harness.sender.updateBitrate(400_000);
    await harness.send('rear');
    expect(granted()).toEqual([
      [400_000, 'weight'],
      [0, 'paused-by-budget'],
    ]);
    expect(activity).toEqual([{ trackId: 'rear', active: false, reason: 'paused-by-budget' }]);
    expect(harness.sender.getTrackStats('rear')).toMatchObject({ active: false, health: 'paused' });
    expect(harness.reportsOf('rear').at(-1)).toMatchObject({ outcome: 'dropped', reason: 'paused' });
  });

  it('comes back by itself, with a key frame and the encoder that it had, once what it needs is there for long enough', async () => {
    await drive(1_000_000);
    const { opened } = harness.encoders;
    harness.sender.updateBitrate(400_000);
    await harness.clock.advance(100);
    harness.sender.updateBitrate(1_000_000);
    await harness.clock.advance(1_800);
    expect(harness.sender.getTrackStats('rear')).toMatchObject({ active: false, allocationReason: 'resuming' });
    await harness.clock.advance(200);
    expect(granted().map(([bps]) => bps)).toEqual([500_000, 500_000]);
    expect(activity.at(-1)).toMatchObject({ trackId: 'rear', active: true });
    await harness.send('rear');
    expect(harness.reportsOf('rear').at(-1)).toMatchObject({ outcome: 'sent', type: 'key' });
    expect(harness.encoders.opened).toBe(opened);
  });

  it('is paused after 300 ms of a small shortage, and keeps its minimum so long', async () => {
    await drive(1_000_000);
    harness.sender.updateBitrate(550_000);
    expect(granted()[1]).toEqual([300_000, 'short']);
    await harness.clock.advance(299);
    expect(granted()[1]).toEqual([300_000, 'short']);
    await harness.clock.advance(1);
    expect(granted()[1]).toEqual([0, 'paused-by-budget']);
  });

  it('is never paused where that is enforced', async () => {
    await drive(1_000_000);
    await harness.sender.setBitrateAllocation({ ...DRIVE, rear: { minBps: 300_000, enforceMinimum: true } });
    harness.sender.updateBitrate(100_000);
    await harness.clock.advance(5_000);
    expect(granted()).toEqual([
      [0, 'paused-by-budget'],
      [300_000, 'enforced-minimum'],
    ]);
  });

  it('that is paused for want of rate gets no fresh encoder from an allocation that names it again', async () => {
    await drive(400_000);
    const { opened } = harness.encoders;
    await harness.sender.setBitrateAllocation({ front: 1, rear: 1 });
    expect(granted().map(([bps]) => bps)).toEqual([200_000, 200_000]);
    expect(harness.encoders.opened).toBe(opened);
    await harness.send('rear');
    expect(harness.reportsOf('rear').at(-1)).toMatchObject({ outcome: 'sent', type: 'key' });
  });

  it('gets a fresh encoder where an allocation had left it out', async () => {
    await drive(1_000_000);
    await harness.sender.setBitrateAllocation({ front: 1 });
    const { opened } = harness.encoders;
    await harness.sender.setBitrateAllocation(DRIVE);
    expect(harness.encoders.opened).toBe(opened + 1);
  });

  it('waits for one timer, however often the target changes meanwhile', async () => {
    await drive(1_000_000);
    const { pendingTimers } = harness.clock;
    for (let bps = 550_000; bps > 520_000; bps -= 1_000) harness.sender.updateBitrate(bps);
    expect(harness.clock.pendingTimers).toBe(pendingTimers + 1);
  });

  it('waits for no timer after close', async () => {
    await drive(1_000_000);
    harness.sender.updateBitrate(550_000);
    await harness.sender.close();
    expect(harness.clock.pendingTimers).toBe(0);
  });
});

describe('a maximum', () => {
  it('leaves the rest to others, and to nobody where all have theirs', async () => {
    await drive(1_000_000);
    await harness.sender.setBitrateAllocation({ front: 1, rear: { maxBps: 200_000 } });
    expect(granted()).toEqual([
      [800_000, 'weight'],
      [200_000, 'at-maximum'],
    ]);
    await harness.sender.setBitrateAllocation({ front: { maxBps: 300_000 }, rear: { maxBps: 200_000 } });
    expect(granted().map(([bps]) => bps)).toEqual([300_000, 200_000]);
  });
});

describe('the preview of an allocation', () => {
  it('tells what each track would get, and why, and changes nothing', async () => {
    await drive(400_000);
    const before = harness.sender.getStats();
    expect(harness.sender.previewBitrateAllocation({ rear: { weight: 3 }, front: 1 })).toEqual([
      { id: 'front', targetBps: 100_000, allocatedBps: 100_000, paused: false, reason: 'weight' },
      { id: 'rear', targetBps: 300_000, allocatedBps: 300_000, paused: false, reason: 'weight' },
    ]);
    expect(harness.sender.getStats()).toEqual(before);
    expect(activity).toEqual([]);
    // Had the preview woken it, it would not have to wait now.
    harness.sender.updateBitrate(800_000);
    expect(granted()[1]).toEqual([0, 'resuming']);
  });

  it('is refused like the allocation itself', async () => {
    await drive(400_000);
    const preview = (allocation: Record<string, number>) => () => harness.sender.previewBitrateAllocation(allocation);
    expect(preview({ front: Number.NaN })).toThrow(expect.objectContaining({ code: 'INVALID_WEIGHT' }));
    expect(preview({ hull: 1 })).toThrow(expect.objectContaining({ code: 'TRACK_NOT_FOUND' }));
    await harness.sender.close();
    expect(preview({ front: 1 })).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});
