import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SenderHarness } from './sender-harness.js';

const ENCODINGS = [{ rid: 'f' }, { rid: 'q', scaleResolutionDownBy: 2 }];

let harness: SenderHarness;

beforeEach(async () => {
  harness = new SenderHarness({ startBitrateBps: 4_000_000 });
  harness.network.wishes = new Map([
    ['f', 'wanted'],
    ['q', 'wanted'],
  ]);
  await harness.sender.addVideoTrack({ id: 'front', width: 1280, height: 720, encodings: ENCODINGS });
  await harness.sender.addVideoTrack({ id: 'rear', width: 1280, height: 720 });
  await harness.sender.connect(harness.negotiate);
  await harness.settle();
});

afterEach(() => harness.sender.close());

describe('the condition of a track', () => {
  it('is what its statistics say, its encodings among them', () => {
    const { sender } = harness;
    for (const { trackId, codec, health, encodings } of sender.getStats().tracks) {
      const parts = encodings?.map(({ rid, active, frameWidth: width, frameHeight: height }) => {
        return { rid, active, width, height };
      });
      const expected = parts === undefined ? { codec, health } : { codec, health, encodings: parts };
      expect(sender.getTrackCondition(trackId)).toEqual(expected);
    }
    expect(sender.getTrackCondition('front')?.encodings).toHaveLength(2);
  });

  it('tells which encodings are not sent', async () => {
    harness.sender.updateBitrate(300_000);
    await harness.clock.advance(1000);
    expect(harness.sender.getTrackCondition('front')?.encodings).toEqual([
      { rid: 'f', active: false, width: 1280, height: 720 },
      { rid: 'q', active: true, width: 640, height: 360 },
    ]);
  });

  it('is none once the track is gone, also where another one has its id', async () => {
    const { sender } = harness;
    const former = await sender.addVideoTrack({ id: 'left', width: 64, height: 48 });
    expect(sender.getTrackCondition(former)).toMatchObject({ codec: 'vp8' });
    await sender.removeTrack(former);
    expect([sender.getTrackCondition(former), sender.getTrackCondition('left')]).toEqual([undefined, undefined]);
    await sender.addVideoTrack({ id: 'left', width: 64, height: 48 });
    expect(sender.getTrackCondition(former)).toBeUndefined();
    expect(sender.getTrackCondition('left')).toMatchObject({ codec: 'vp8' });
  });
});

describe('what the encodings of a camera are granted', () => {
  it('adds up to what the camera is granted, with a reason for each', async () => {
    const [front, rear] = harness.sender.getGrants().tracks;
    expect(rear).not.toHaveProperty('encodings');
    expect(front?.encodings?.map(({ rid, paused }) => [rid, paused])).toEqual([
      ['f', false],
      ['q', false],
    ]);
    expect(front?.encodings?.reduce((sum, { targetBps }) => sum + targetBps, 0)).toBe(front?.targetBps);
    harness.sender.updateBitrate(300_000);
    await harness.clock.advance(1000);
    expect(harness.sender.getGrants().tracks[0]?.encodings).toMatchObject([
      { rid: 'f', targetBps: 0, paused: true, reason: 'paused-by-budget' },
      { rid: 'q', targetBps: 150_000, paused: false },
    ]);
  });

  it('is nothing while the allocation pauses the camera, for its reason', async () => {
    await harness.sender.setBitrateAllocation({ front: 0, rear: 1 });
    expect(harness.sender.getGrants().tracks[0]?.encodings).toEqual([
      { rid: 'f', targetBps: 0, paused: true, reason: 'paused-by-weight' },
      { rid: 'q', targetBps: 0, paused: true, reason: 'paused-by-weight' },
    ]);
  });
});
