import { afterEach, describe, expect, it } from 'vitest';
import type { EncodedVideoTrackSpec } from '../../src/sender/tracks/track-specs.js';
import { SenderHarness } from './sender-harness.js';

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  expect(harness.encoders.violations).toEqual([]);
});

function targets(): number[] {
  return harness.sender.getStats().tracks.map(({ targetBitrate }) => targetBitrate);
}

function lastBitrates(): (number | undefined)[] {
  return harness.encoders.encoders.map(({ bitrates }) => bitrates.at(-1));
}

describe('the target bitrate', () => {
  it('starts at 1 Mbit/s and is divided anew when tracks come and go', async () => {
    harness = await new SenderHarness().connected('front');
    expect(targets()).toEqual([1_000_000]);
    await harness.addTracks('rear');
    expect(targets()).toEqual([500_000, 500_000]);
    await harness.sender.removeTrack('front');
    expect(targets()).toEqual([1_000_000]);
  });

  it('reaches every encoder with its next frame, and never while it encodes', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.send('rear');
    harness.sender.updateBitrate(600_000);
    await harness.send('rear');
    expect(lastBitrates()).toEqual([500_000, 300_000]);
    harness.gates.open('read', 1);
    await harness.send('front');
    expect(lastBitrates()).toEqual([300_000, 300_000]);
  });

  it('is capped, at the start and later', async () => {
    harness = await new SenderHarness({ startBitrateBps: 5_000_000, maxBitrateBps: 2_000_000 }).connected('front');
    expect(targets()).toEqual([2_000_000]);
    harness.sender.updateBitrate(9_000_000);
    expect(targets()).toEqual([2_000_000]);
    harness.sender.updateBitrate(1_500_000);
    expect(targets()).toEqual([1_500_000]);
  });

  it.each([Number.NaN, 0, -1, Number.POSITIVE_INFINITY, '1000000' as unknown as number])(
    'of %s is refused and changes nothing',
    async (bitrateBps) => {
      harness = await new SenderHarness().connected('front');
      const refusal = expect.objectContaining({ code: 'INVALID_BITRATE' });
      expect(() => harness.sender.updateBitrate(bitrateBps)).toThrow(refusal);
      expect(targets()).toEqual([1_000_000]);
      expect(() => new SenderHarness({ startBitrateBps: bitrateBps })).toThrow(refusal);
    },
  );

  it.each([1, 999, 1_000_000_000])(
    'of %i bit/s keeps encoders within what they accept, and tracks can be added',
    async (bps) => {
      harness = await new SenderHarness().connected('front');
      harness.sender.updateBitrate(bps);
      await harness.addTracks('rear');
      await harness.send('front');
      await harness.send('rear');
      for (const rate of [...lastBitrates(), harness.encoders.encoders[1]?.config.bitrateBps]) {
        expect(rate).toBeGreaterThanOrEqual(30_000);
        expect(rate).toBeLessThanOrEqual(200_000_000);
      }
      expect(harness.reports.map(({ outcome }) => outcome)).toEqual(['sent', 'sent']);
    },
  );
});

describe('the allocation', () => {
  it('with a share of less than 1 bit/s makes an encoder as slow as it can be, not as fast as it was', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.send('rear');
    await harness.sender.setBitrateAllocation({ front: 1, rear: 1e-9 });
    await harness.send('rear');
    expect(targets()).toEqual([999_999, 0]);
    expect(lastBitrates()[1]).toBe(30_000);
  });

  it('of a removed track is forgotten: a new one of the same id is paused until it is named', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ front: 1, rear: 1 });
    await harness.sender.removeTrack('rear');
    expect(harness.sender.getStats().allocation).toEqual({ front: 1 });
    await harness.addTracks('rear');
    await harness.send('rear');
    expect(harness.reportsOf('rear')).toMatchObject([{ outcome: 'dropped', reason: 'paused' }]);
    expect(harness.sender.getTrackStats('rear')).toMatchObject({ active: false, targetBitrate: 0 });
  });

  it('that names only a removed track pauses all others rather than inventing shares', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ front: 1 });
    await harness.sender.removeTrack('front');
    expect(targets()).toEqual([0]);
    await harness.sender.setBitrateAllocation(null);
    expect(targets()).toEqual([1_000_000]);
  });

  it('survives changes of the target and of the tracks', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ front: 3, rear: 1 });
    harness.sender.updateBitrate(4_000_000);
    await harness.addTracks('left');
    expect(targets()).toEqual([3_000_000, 1_000_000, 0]);
  });

  it('cannot be changed through the object that was given or the one that is returned', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const mine = { front: 3, rear: 1 };
    await harness.sender.setBitrateAllocation(mine);
    mine.front = 0;
    expect(Object.isFrozen(harness.sender.getStats().allocation)).toBe(true);
    harness.sender.updateBitrate(2_000_000);
    expect(targets()).toEqual([1_500_000, 500_000]);
  });
});

describe('a pre-encoded track', () => {
  const thermal: EncodedVideoTrackSpec = { id: 'thermal', codec: 'vp8' };

  it('is told its target whenever that changes, and asked for a key frame when it wakes from a pause', async () => {
    harness = await new SenderHarness().connected('front');
    const told: unknown[] = [];
    harness.sender.on('targetBitrate', (event) => void told.push(event));
    harness.sender.on('keyFrameRequest', (event) => void told.push(event));
    await harness.sender.addEncodedVideoTrack(thermal);
    await harness.settle();
    expect(told).toEqual([{ trackId: 'thermal', targetBps: 500_000 }, { trackId: 'thermal' }]);
    told.length = 0;
    await harness.sender.setBitrateAllocation({ front: 1 });
    await harness.settle();
    expect(told).toEqual([{ trackId: 'thermal', targetBps: 0 }]);
    told.length = 0;
    await harness.sender.setBitrateAllocation({ front: 1, thermal: 1 });
    harness.sender.updateBitrate(1_000_000);
    await harness.settle();
    expect(told).toEqual([{ trackId: 'thermal' }, { trackId: 'thermal', targetBps: 500_000 }]);
  });
});
