import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { EncoderSwapped } from '../../src/sender/sender-events.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';
import { codeOf, HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  harness.expectBalance();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.encoders.encoders.map(({ closesWhileBusy }) => closesWhileBusy)).toEqual(
    harness.encoders.encoders.map(() => 0),
  );
  expect(harness.encoders.alive).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
});

function keyFramesByEncoder(): number[] {
  return harness.encoders.encoders.map(({ keyFrames }) => keyFrames.length);
}

describe('recreating an encoder', () => {
  it('opens the new one outside the locks while the old one goes on, and loses no frame', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.send('front');
    harness.gates.hold('open');
    const recreated = harness.sender.recreateEncoder('front');
    for (let frame = 0; frame < 5; frame += 1) {
      harness.give('rear');
      await harness.send('front');
    }
    expect(harness.reports.map(({ outcome }) => outcome)).toEqual(Array(11).fill('sent'));
    const { read, write } = harness.sender.getStats().tracksMu;
    expect(Math.max(read.waitMaxUs, write.waitMaxUs, write.holdMaxUs)).toBe(0);
    harness.gates.open('open');
    await recreated;
    await harness.send('front');
    expect(keyFramesByEncoder()).toEqual([1, 1, 1]);
    expect(harness.sender.getTrackStats('front').encoderSwaps).toBe(1);
    expect(harness.encoders.closed).toBe(1);
  });

  it('keeps the old encoder when the new one cannot be opened, and tells the caller', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    harness.encoders.openError = new Error('out of sessions');
    await expect(harness.sender.recreateEncoder('front')).rejects.toThrow('out of sessions');
    await harness.send('front');
    expect(harness.reports.map((report) => report.outcome === 'sent' && report.type)).toEqual(['key', 'delta']);
    expect(harness.sender.getTrackStats('front').encoderSwaps).toBe(0);
    harness.encoders.openError = undefined;
  });

  it('closes the old encoder outside the locks: one that takes its time holds up nobody', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    harness.gates.hold('close', 1);
    const recreated = harness.sender.recreateEncoder('front');
    await harness.settle();
    await harness.send('front');
    await harness.send('rear');
    expect(harness.reports.map(({ trackId, outcome }) => [trackId, outcome])).toEqual([
      ['front', 'sent'],
      ['rear', 'sent'],
    ]);
    harness.gates.openOne();
    await recreated;
  });

  it('waits for the encode in flight, closes the old encoder after its chunk is released, and gives it no further frame', async () => {
    harness = await new SenderHarness().connected('front');
    harness.gates.hold('read', 1);
    const first = harness.give('front');
    await harness.settle();
    const recreated = harness.sender.recreateEncoder('front');
    await harness.clock.advance(20);
    const second = harness.give('front');
    await harness.clock.advance(20);
    expect(harness.encoders.closed).toBe(0);
    harness.gates.openOne();
    await recreated;
    await harness.settle();
    expect(harness.reports).toMatchObject([
      { outcome: 'sent', timestamp: first, type: 'key' },
      { outcome: 'sent', timestamp: second, type: 'key' },
    ]);
    expect(harness.encoders.encoders.map(({ keyFrames }) => keyFrames)).toEqual([[first], [second]]);
  });

  it('tells how long it waited for that encode, and how long the locks were held', async () => {
    harness = await new SenderHarness().connected('front');
    const swaps: EncoderSwapped[] = [];
    harness.sender.on('encoderSwapped', (swap) => void swaps.push(swap));
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.settle();
    const recreated = harness.sender.recreateEncoder('front');
    await harness.settle();
    await harness.clock.advance(20);
    harness.gates.open('read', 1);
    await recreated;
    await harness.settle();
    const facts = { trackId: 'front', cause: 'recreate', implementation: 'poisoning' };
    expect(swaps).toEqual([{ ...facts, waitUs: 20_000, exclusiveHoldUs: 0 }]);
  });

  it('costs no other track a frame while it waits for an encode in flight, and no lock', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.settle();
    const recreated = harness.sender.recreateEncoder('front');
    await harness.settle();
    for (let frame = 0; frame < 10; frame += 1) await harness.send('rear');
    expect(harness.reportsOf('rear').map(({ outcome }) => outcome)).toEqual(Array(10).fill('sent'));
    expect(harness.sender.getStats().tracksMu.write.holdMaxUs).toBe(0);
    harness.gates.open('read', 1);
    await recreated;
  });

  it('of several at once replaces each encoder by the next and leaks none', async () => {
    harness = await new SenderHarness().connected('front');
    await Promise.all([1, 2, 3].map(() => harness.sender.recreateEncoder('front')));
    await harness.send('front');
    expect(harness.encoders).toMatchObject({ opened: 4, alive: 1 });
    expect(harness.sender.getTrackStats('front').encoderSwaps).toBe(3);
  });

  it('gives up with ENCODER_BUSY when the encode in flight hangs, and the hung track can still be removed', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.settle();
    const recreated = codeOf(harness.sender.recreateEncoder('front'));
    await harness.settle();
    await harness.clock.advance(2000);
    expect(await recreated).toBe('ENCODER_BUSY');
    expect(harness.encoders).toMatchObject({ opened: 3, alive: 2 });
    harness.gates.open('read', 1);
    await harness.sender.removeTrack('front');
  });

  it('of a pre-encoded track is refused', async () => {
    harness = new SenderHarness();
    await harness.sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' });
    expect(await codeOf(harness.sender.recreateEncoder('thermal'))).toBe('WRONG_TRACK_KIND');
  });
});

describe('waking tracks by an allocation', () => {
  it('is all or nothing: when one encoder cannot be opened, the opened ones are closed and nothing changes', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const scarce = new PoisoningEncoderFactory();
    await harness.sender.addVideoTrack({ id: 'left', width: WIDTH, height: HEIGHT, encoders: scarce });
    await harness.sender.setBitrateAllocation({ front: 1 });
    const snapshot = () =>
      harness.sender.getStats().tracks.map(({ targetBitrate, active }) => ({ targetBitrate, active }));
    const before = snapshot();
    scarce.openError = new FramelockError('ENCODER_OPEN_FAILED', 'out of sessions');
    const waking = harness.sender.setBitrateAllocation({ front: 1, rear: 1, left: 1 });
    expect(await codeOf(waking)).toBe('ENCODER_OPEN_FAILED');
    expect(harness.sender.getStats().allocation).toEqual({ front: 1 });
    expect(snapshot()).toEqual(before);
    expect(harness.encoders).toMatchObject({ opened: 3, alive: 2 });
    expect(scarce).toMatchObject({ opened: 1, alive: 1 });
  });

  it('gives each woken track a fresh encoder and a key frame, and the others neither', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.send('front');
    await harness.send('rear');
    await harness.sender.setBitrateAllocation({ front: 1 });
    await harness.send('rear');
    await harness.sender.setBitrateAllocation({ front: 1, rear: 3 });
    await harness.send('front');
    await harness.send('rear');
    expect(harness.encoders.opened).toBe(3);
    expect(harness.reportsOf('front').map((report) => report.outcome === 'sent' && report.type)).toEqual([
      'key',
      'delta',
    ]);
    expect(
      harness.reportsOf('rear').map((report) => (report.outcome === 'sent' ? report.type : report.reason)),
    ).toEqual([...['key', 'paused', 'key']]);
    expect(harness.encoders.encoders[2]?.config.bitrateBps).toBe(750_000);
  });

  it('that meets the removal of a named track changes nothing and leaks nothing', async () => {
    harness = await new SenderHarness().connected('front', 'rear', 'left');
    await harness.sender.setBitrateAllocation({ front: 1 });
    harness.gates.hold('open');
    const waking = codeOf(harness.sender.setBitrateAllocation({ rear: 1, left: 1 }));
    await harness.settle();
    await harness.sender.removeTrack('rear');
    harness.gates.open('open');
    expect(await waking).toBe('TRACK_REMOVED');
    expect(harness.sender.getStats().allocation).toEqual({ front: 1 });
    expect(harness.encoders.alive).toBe(2);
  });

  it('to equal shares goes on without a track that was removed meanwhile', async () => {
    harness = await new SenderHarness().connected('front', 'rear', 'left');
    await harness.sender.setBitrateAllocation({ front: 1 });
    harness.gates.hold('open');
    const waking = harness.sender.setBitrateAllocation(null);
    await harness.settle();
    await harness.sender.removeTrack('rear');
    harness.gates.open('open');
    await waking;
    expect(harness.sender.getStats()).toMatchObject({
      allocation: null,
      tracks: [{ targetBitrate: 500_000 }, { targetBitrate: 500_000, active: true }],
    });
    expect(harness.encoders.alive).toBe(2);
  });

  it('takes effect in the order of the calls, also when an earlier one opens its encoders more slowly', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ front: 1 });
    harness.gates.hold('open');
    const slow = harness.sender.setBitrateAllocation({ front: 1, rear: 1 });
    const fast = harness.sender.setBitrateAllocation({ front: 3 });
    await harness.settle();
    expect(harness.sender.getStats().allocation).toEqual({ front: 1 });
    harness.gates.open('open');
    await Promise.all([slow, fast]);
    expect(harness.sender.getStats().allocation).toEqual({ front: 3 });
    expect(harness.sender.getTrackStats('rear').active).toBe(false);
  });

  it('fails with ENCODER_BUSY, and delays no frame of other tracks, when a paused track hangs in its encoder', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    harness.gates.hold('read', 2);
    harness.give('rear');
    await harness.settle();
    await harness.sender.setBitrateAllocation({ front: 1 });
    const waking = codeOf(harness.sender.setBitrateAllocation({ front: 1, rear: 1 }));
    for (let frame = 0; frame < 70; frame += 1) await harness.send('front');
    expect(await waking).toBe('ENCODER_BUSY');
    expect(harness.reportsOf('front').map(({ outcome }) => outcome)).toEqual(Array(70).fill('sent'));
    expect(harness.sender.getStats().allocation).toEqual({ front: 1 });
    harness.gates.open('read', 2);
  });
});
