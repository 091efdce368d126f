import { AsyncResource } from 'node:async_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { gate, SenderHarness } from './sender-harness.js';

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  expect(harness.encoders.violations).toEqual([]);
});

describe('when removeTrack resolves (L2)', () => {
  it('every event of the track has been delivered, in spite of handlers that take their time', async () => {
    harness = await new SenderHarness().connected('front');
    const handled: number[] = [];
    harness.sender.on('frameSent', async ({ timestamp }) => {
      await new Promise<void>((resolve) => harness.clock.setTimer(20, resolve));
      handled.push(timestamp);
    });
    const given = [harness.give('front')];
    await harness.clock.advance(1);
    given.push(harness.give('front'));
    await harness.clock.advance(1);
    given.push(harness.give('front'));
    let resolved = false;
    const removal = harness.sender.removeTrack('front').then(() => {
      resolved = true;
      expect(handled).toEqual(given);
    });
    await harness.clock.advance(30);
    expect(resolved).toBe(false);
    await harness.clock.advance(100);
    await removal;
    await harness.clock.advance(5000);
    expect(handled).toEqual(given);
  });

  it('no event starts afterwards, not even one that a handler held up beyond the deadline', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const stuck = gate();
    const started: string[] = [];
    harness.sender.on('frameSent', ({ trackId, timestamp }) => {
      started.push(`${trackId} ${timestamp}`);
      return stuck.promise;
    });
    harness.give('front');
    await harness.clock.advance(1);
    harness.give('front');
    await harness.clock.advance(1);
    const rear = harness.give('rear');
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    await harness.clock.advance(1000);
    await removal;
    const before = started.length;
    stuck.open();
    await harness.clock.advance(100);
    expect(started.slice(before)).toEqual([`rear ${rear}`]);
    expect(harness.sender.getStats().events.dropped.frameSent).toBeGreaterThan(0);
  });

  it('events of other tracks are not waited for and not lost', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    harness.give('rear');
    harness.give('front');
    await harness.sender.removeTrack('front');
    await harness.settle();
    expect(harness.reportsOf('rear')).toHaveLength(1);
  });

  it('a frame that hangs in the encoder is given up: when it comes out it is counted, not reported, and the encoder is closed', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const encoded: string[] = [];
    harness.sender.on('encodedFrame', ({ trackId }) => void encoded.push(trackId));
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.settle();
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    await harness.clock.advance(1000);
    await harness.clock.advance(1000);
    await removal;
    await harness.send('rear');
    expect(harness.reports).toMatchObject([{ trackId: 'rear', outcome: 'sent' }]);

    harness.gates.open('read', 1);
    await harness.settle();
    expect(harness.reportsOf('front')).toEqual([]);
    expect(encoded).toEqual(['rear']);
    expect(harness.sender.getStats().lateCompletions).toEqual({ 'encoded frame': 1, frame: 1 });
    expect(harness.encoders.alive).toBe(1);
    expect(harness.given[0]?.releases).toBe(1);
  });

  it('an encode that fails after it was given up is counted, not reported', async () => {
    harness = await new SenderHarness().connected('front');
    const errors: unknown[] = [];
    harness.sender.on('error', (event) => void errors.push(event));
    const [encoder] = harness.encoders.encoders;
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.settle();
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    await harness.clock.advance(1000);
    await harness.clock.advance(1000);
    await removal;
    if (encoder !== undefined) encoder.readError = new Error('too late');
    harness.gates.open('read', 1);
    await harness.settle();
    expect(errors).toEqual([]);
    expect(harness.reports).toEqual([]);
    expect(harness.sender.getStats().lateCompletions).toEqual({ 'encode error': 1, frame: 1 });
  });

  it('called by a handler, the events that wait behind it are dropped and counted', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const delivered: string[] = [];
    const afterRemoval: string[] = [];
    let removed = false;
    harness.sender.on('frameSent', async ({ trackId }) => {
      // Kept for later: what a handler throws, a failed expectation too, is caught by the queue.
      (removed ? afterRemoval : delivered).push(trackId);
      if (delivered.length > 1 || removed) return;
      harness.give('front');
      harness.give('rear');
      await harness.settle();
      await harness.sender.removeTrack('front');
      removed = true;
    });
    harness.give('front');
    await harness.clock.advance(1000);
    expect(removed).toBe(true);
    expect(delivered).toEqual(['front']);
    expect(afterRemoval).toEqual(['rear']);
    expect(harness.sender.getStats().events.dropped.frameSent).toBe(1);
  });

  it.each(['inside', 'outside'] as const)(
    'called by a handler and from elsewhere, first from %s, the handler does not wait for itself, and the other one waits for the handler',
    async (first) => {
      harness = await new SenderHarness().connected('front');
      const removed = gate();
      const returns = gate();
      let resolved = false;
      let elsewhere: Promise<void> | undefined;
      const removeFromElsewhere = AsyncResource.bind(() => {
        elsewhere = harness.sender.removeTrack('front').then(() => {
          resolved = true;
        });
      });
      harness.sender.on('frameSent', async () => {
        if (first === 'outside') removeFromElsewhere();
        const removal = harness.sender.removeTrack('front');
        if (first === 'inside') removeFromElsewhere();
        await removal;
        removed.open();
        await returns.promise;
      });
      harness.give('front');
      await removed.promise;
      await harness.settle();
      expect(resolved).toBe(false);
      returns.open();
      await elsewhere;
      expect(resolved).toBe(true);
    },
  );

  it('called twice at once, the track is taken down once, and both calls wait for the end', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    harness = await new SenderHarness({ logger }).connected('front', 'rear');
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.settle();
    const removals = Promise.all([harness.sender.removeTrack('front'), harness.sender.removeTrack('front')]);
    await harness.settle();
    await harness.clock.advance(1000);
    await harness.clock.advance(1000);
    await removals;
    expect(warnings).toEqual(['a track did not stop cleanly']);
    harness.gates.open('read', 1);
    await harness.settle();
  });

  it('a swap of its encoder that was under way tells of nothing afterwards', async () => {
    harness = await new SenderHarness().connected('front');
    const swaps: string[] = [];
    harness.sender.on('encoderSwapped', ({ trackId }) => void swaps.push(trackId));
    harness.gates.hold('close', 1);
    const recreated = harness.sender.recreateEncoder('front');
    await harness.settle();
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    await removal;
    const before = swaps.length;
    harness.gates.open('close', 1);
    await recreated;
    await harness.settle();
    expect(swaps).toHaveLength(before);
  });
});

describe('when close resolves', () => {
  it('every event has been delivered and none starts afterwards', async () => {
    harness = await new SenderHarness().connected('front');
    const handled: string[] = [];
    harness.sender.on('frameSent', async ({ outcome }) => {
      await new Promise<void>((resolve) => harness.clock.setTimer(20, resolve));
      handled.push(outcome);
    });
    harness.gates.hold('read');
    harness.give('front');
    await harness.clock.advance(1);
    harness.give('front');
    const closing = harness.sender.close();
    await harness.settle();
    harness.gates.open('read');
    await harness.clock.advance(100);
    expect(await closing).toMatchObject({ clean: true });
    expect(handled.sort()).toEqual(['dropped', 'sent']);
    await harness.clock.advance(5000);
    expect(handled).toHaveLength(2);
  });
});

describe('a handler of `error` that throws', () => {
  it('is called once for each error and does not feed itself', async () => {
    harness = await new SenderHarness().connected('front');
    const errors: string[] = [];
    harness.sender.on('frameSent', () => {
      throw new Error('bad handler');
    });
    harness.sender.on('error', ({ where }) => {
      errors.push(where);
      throw new Error('worse handler');
    });
    await harness.send('front');
    await harness.settle();
    expect(errors).toEqual(['handler']);
  });
});
