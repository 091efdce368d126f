import { AsyncResource } from 'node:async_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOf, HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  harness.expectBalance();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.encoders.alive).toBe(0);
});

/** Puts another track of the same id in the place of a track while the encoder opens of an operation that has pinned it. */
async function replaceDuring(operation: () => Promise<unknown>): Promise<string | undefined> {
  harness.gates.hold('open');
  const outcome = codeOf(operation());
  await harness.settle();
  await harness.sender.removeTrack('front');
  const added = harness.addTracks('front');
  await harness.settle();
  harness.gates.openOne(1);
  await added;
  harness.gates.open('open');
  return outcome;
}

describe('an id that is used again (L5)', () => {
  it('is not mistaken for the track that had it: a recreate of the old one fails and leaves the new one alone', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    expect(await replaceDuring(() => harness.sender.recreateEncoder('front'))).toBe('TRACK_REMOVED');
    expect(harness.sender.getTrackStats('front').encoderSwaps).toBe(0);
    expect(harness.sender.getStats().lateCompletions).toEqual({ encoder: 1 });
    await harness.send('front');
    expect(harness.reportsOf('front')).toMatchObject([{ outcome: 'sent' }]);
  });

  it('is not mistaken by an allocation that named the old track', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ rear: 1 });
    expect(await replaceDuring(() => harness.sender.setBitrateAllocation({ front: 1, rear: 1 }))).toBe('TRACK_REMOVED');
    expect(harness.sender.getStats().allocation).toEqual({ rear: 1 });
    expect(harness.sender.getTrackStats('front').active).toBe(false);
  });

  it('is not mistaken by an allocation that named the old track with a running encoder', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ front: 1 });
    expect(await replaceDuring(() => harness.sender.setBitrateAllocation({ front: 1, rear: 1 }))).toBe('TRACK_REMOVED');
  });

  it('is not free while the track that has it is being removed, and free as soon as the removal resolves', async () => {
    harness = await new SenderHarness().connected('front');
    harness.gates.hold('close', 1);
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    expect(harness.sender.getStats().tracks).toEqual([]);
    expect(await codeOf(harness.addTracks('front'))).toBe('TRACK_EXISTS');
    harness.gates.open('close', 1);
    await removal;
    await harness.addTracks('front');
  });

  it('stays taken by the removal of a second track when the wait for the events of a first one ends', async () => {
    harness = await new SenderHarness().connected('front');
    const elsewhere: Promise<void>[] = [];
    const removeFromElsewhere = AsyncResource.bind(() => void elsewhere.push(harness.sender.removeTrack('front')));
    let again: Promise<void> | undefined;
    harness.sender.on('frameSent', async () => {
      if (again !== undefined) return;
      removeFromElsewhere();
      await harness.sender.removeTrack('front');
      await harness.addTracks('front');
      harness.gates.hold('close', 2);
      again = harness.sender.removeTrack('front');
    });
    harness.give('front');
    await harness.settle();
    await harness.settle();
    await elsewhere[0];
    expect(await codeOf(harness.addTracks('front'))).toBe('TRACK_EXISTS');
    harness.gates.open('close', 2);
    await again;
    await harness.addTracks('front');
  });

  it('does not end the new track when the removal of the old one is asked for again', async () => {
    harness = await new SenderHarness().connected('front');
    const removals = [harness.sender.removeTrack('front'), harness.sender.removeTrack('front')];
    await removals[0];
    await harness.addTracks('front');
    await removals[1];
    await harness.send('front');
    expect(harness.reports).toMatchObject([{ outcome: 'sent' }]);
  });
});

describe('a track that is gone', () => {
  it('makes every call fail with TRACK_NOT_FOUND', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.sender.removeTrack('front');
    const { sender } = harness;
    const gone = expect.objectContaining({ code: 'TRACK_NOT_FOUND' });
    expect(() => sender.sendFrame('front', harness.frame())).toThrow(gone);
    expect(() => sender.sendEncodedFrame('front', { data: new Uint8Array(1), type: 'key', timestamp: 0 })).toThrow(
      gone,
    );
    expect(() => sender.forceKeyFrame('front')).toThrow(gone);
    expect(() => sender.getTrackStats('front')).toThrow(gone);
    expect(await codeOf(sender.recreateEncoder('front'))).toBe('TRACK_NOT_FOUND');
    expect(await codeOf(sender.setBitrateAllocation({ front: 1 }))).toBe('TRACK_NOT_FOUND');
  });
});

describe('a handle', () => {
  it('means its track, and no other that takes its id later', async () => {
    harness = new SenderHarness();
    const spec = { id: 'front', width: WIDTH, height: HEIGHT };
    const old = await harness.sender.addVideoTrack(spec);
    await harness.sender.removeTrack(old);
    const fresh = await harness.sender.addVideoTrack(spec);
    await harness.sender.connect(harness.negotiate);
    const { sender } = harness;
    const removed = expect.objectContaining({ code: 'TRACK_REMOVED', context: { trackId: 'front', generation: 1 } });
    expect(() => sender.sendFrame(old, harness.frame())).toThrow(removed);
    expect(() => sender.forceKeyFrame(old)).toThrow(removed);
    expect(() => sender.getTrackStats(old)).toThrow(removed);
    expect(await codeOf(sender.recreateEncoder(old))).toBe('TRACK_REMOVED');
    expect(await codeOf(sender.removeTrack(old))).toBe('TRACK_REMOVED');

    harness.give('front');
    await harness.settle();
    expect(harness.reports).toMatchObject([{ outcome: 'sent' }]);
    await sender.recreateEncoder(fresh);
    expect(sender.getTrackStats(fresh)).toMatchObject({ generation: 2, encoderSwaps: 1 });
  });

  it('of another sender, or a copy, means nothing', async () => {
    harness = new SenderHarness();
    const other = new SenderHarness();
    const spec = { id: 'front', width: WIDTH, height: HEIGHT };
    const [own, foreign] = [await harness.sender.addVideoTrack(spec), await other.sender.addVideoTrack(spec)];
    const unknown = expect.objectContaining({ code: 'TRACK_NOT_FOUND' });
    for (const handle of [foreign, { ...own }]) expect(() => harness.sender.forceKeyFrame(handle)).toThrow(unknown);
    await other.sender.close();
  });

  it('is CLOSED together with its sender', async () => {
    harness = new SenderHarness();
    const front = await harness.sender.addVideoTrack({ id: 'front', width: WIDTH, height: HEIGHT });
    await harness.sender.close();
    expect(await codeOf(harness.sender.recreateEncoder(front))).toBe('CLOSED');
    expect(harness.sender.getTrackStats(front).generation).toBe(1);
  });
});

describe('a sender that is closed', () => {
  it('makes every call fail with CLOSED, but those that only look', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.sender.close();
    const { sender } = harness;
    const closed = expect.objectContaining({ code: 'CLOSED' });
    expect(() => sender.sendFrame('front', harness.frame())).toThrow(closed);
    expect(() => sender.sendEncodedFrame('front', { data: new Uint8Array(1), type: 'key', timestamp: 0 })).toThrow(
      closed,
    );
    expect(() => sender.forceKeyFrame('front')).toThrow(closed);
    expect(() => sender.updateBitrate(1_000_000)).toThrow(closed);
    for (const call of [
      () => sender.recreateEncoder('front'),
      () => sender.setBitrateAllocation(null),
      () => sender.removeTrack('front'),
      () => sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' }),
      () => harness.addTracks('rear'),
      () => sender.connect(harness.negotiate),
    ]) {
      expect(await codeOf(call())).toBe('CLOSED');
    }
    expect(sender.getStats()).toMatchObject({ state: 'closed', healthy: false });
    expect(harness.clock.pendingTimers).toBe(0);
  });
});
