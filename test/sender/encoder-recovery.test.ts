import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { EncoderRecovery } from '../../src/sender/encoding/encoder-recovery.js';
import { RateWatch } from '../../src/sender/encoding/rate-watch.js';
import type { SenderEvents } from '../../src/sender/sender-events.js';
import { SenderHarness } from './sender-harness.js';

describe('EncoderRecovery', () => {
  it('retries twice, then replaces, and gives up after three encoders that failed as well', () => {
    const recovery = new EncoderRecovery();
    const steps = Array.from({ length: 12 }, () => recovery.failed());
    const round = ['retry', 'retry', 'replace'];
    expect(steps).toEqual([...round, ...round, ...round, 'retry', 'retry', 'give up']);
  });

  it('counts failures in a row only', () => {
    const recovery = new EncoderRecovery();
    for (let round = 0; round < 20; round += 1) {
      expect([recovery.failed(), recovery.failed()]).toEqual(['retry', 'retry']);
      recovery.succeeded(round);
    }
  });

  it('forgets earlier encoders once one has worked for ten seconds, and not before', () => {
    const recovery = new EncoderRecovery();
    for (let replaced = 0; replaced < 3; replaced += 1) expect(recovery.broken()).toBe('replace');
    recovery.succeeded(0);
    recovery.succeeded(9_999_999);
    expect(recovery.broken()).toBe('give up');
    recovery.succeeded(0);
    recovery.succeeded(10_000_000);
    expect(recovery.broken()).toBe('replace');
  });
});

describe('RateWatch', () => {
  it('tells of an encoder that makes far too much for three seconds, once', () => {
    const watch = new RateWatch();
    const off = (seconds: number, encodedBps = 160) => watch.isOffTarget(encodedBps, 100, seconds * 1e6);
    expect([off(0), off(2.9), off(3), off(3.5)]).toEqual([false, false, true, false]);
  });

  it('does not mind a burst, nor too little', () => {
    const watch = new RateWatch();
    const off = (seconds: number, encodedBps: number) => watch.isOffTarget(encodedBps, 100, seconds * 1e6);
    expect([off(0, 500), off(2, 140), off(3, 500), off(5, 10)]).toEqual([false, false, false, false]);
  });
});

describe('a track whose encoder fails', () => {
  let harness: SenderHarness;
  let errors: SenderEvents['error'][];
  const fault = new Error('the encoder is broken');

  afterEach(async () => {
    await harness.sender.close();
    harness.expectBalance();
    expect(harness.encoders.violations).toEqual([]);
    expect(harness.encoders.alive).toBe(0);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  async function withTracks(...ids: string[]): Promise<void> {
    harness = await new SenderHarness().connected(...ids);
    errors = [];
    harness.sender.on('error', (event) => void errors.push(event));
  }

  /** Lets every encoder of the first track fail, those to come too. */
  function breakEncoders(error: Error | undefined): void {
    harness.encoders.readError = error;
    for (const encoder of harness.encoders.encoders) if (encoder.generation !== 2) encoder.readError = error;
  }

  it('gets a fresh one after three failures in a row and goes on with a key frame', async () => {
    await withTracks('front');
    const causes: string[] = [];
    harness.sender.on('encoderSwapped', ({ cause }) => void causes.push(cause));
    const [encoder] = harness.encoders.encoders;
    if (encoder !== undefined) encoder.readError = fault;
    for (let frame = 0; frame < 30; frame += 1) await harness.send('front');
    const { encoderErrors, health, framesDropped } = harness.sender.getTrackStats('front');
    expect([encoderErrors, framesDropped['encode-failed'], errors.length, health]).toEqual([3, 3, 3, 'ok']);
    expect(errors[0]).toEqual({ where: 'encoder', trackId: 'front', error: fault });
    expect(causes).toEqual(['failure']);
    expect(harness.reports.find(({ outcome }) => outcome === 'sent')).toMatchObject({ type: 'key' });
  });

  it('is given up when fresh ones fail as well, says why, tries no more, and leaves the others alone', async () => {
    await withTracks('front', 'rear');
    const health: SenderEvents['trackHealth'][] = [];
    harness.sender.on('trackHealth', (event) => void (event.trackId === 'front' && health.push(event)));
    breakEncoders(fault);
    for (let frame = 0; frame < 400; frame += 1) {
      harness.give('rear');
      await harness.send('front');
    }
    const front = harness.sender.getTrackStats('front');
    expect(front).toMatchObject({ health: 'failed', failure: 'the encoder is broken', encoderErrors: 12 });
    expect(health.at(-1)).toEqual({ trackId: 'front', health: 'failed', reason: 'the encoder is broken' });
    expect(harness.encoders.opened).toBe(2 + 3);
    expect(errors).toHaveLength(12 + 1);
    expect(errors.at(-1)?.error).toMatchObject({ code: 'ENCODER_FAILED', context: { trackId: 'front' } });
    expect(harness.sender.getStats().healthy).toBe(false);
    expect(harness.reportsOf('rear').every(({ outcome }) => outcome === 'sent')).toBe(true);
  });

  it('that was given up comes back by recreateEncoder', async () => {
    await withTracks('front');
    breakEncoders(fault);
    for (let frame = 0; frame < 400; frame += 1) await harness.send('front');
    breakEncoders(undefined);
    await harness.send('front');
    expect(harness.reports.at(-1)).toMatchObject({ outcome: 'dropped', reason: 'encode-failed' });
    await harness.sender.recreateEncoder('front');
    await harness.send('front');
    expect(harness.reports.at(-1)).toMatchObject({ outcome: 'sent', type: 'key' });
    expect(harness.sender.getTrackStats('front')).toMatchObject({ health: 'ok' });
    expect(harness.sender.getTrackStats('front').failure).toBeUndefined();
  });

  it('that was given up gets as many fresh ones again when its owner has asked for one', async () => {
    await withTracks('front');
    breakEncoders(fault);
    for (let frame = 0; frame < 400; frame += 1) await harness.send('front');
    expect(harness.encoders.opened).toBe(1 + 3);
    await harness.sender.recreateEncoder('front');
    for (let frame = 0; frame < 400; frame += 1) await harness.send('front');
    expect(harness.encoders.opened).toBe(1 + 3 + 1 + 3);
  });

  it('is not given up in public after it was removed: the failure that comes too late is only counted', async () => {
    await withTracks('front');
    breakEncoders(fault);
    while (harness.sender.getTrackStats('front').encoderErrors < 11) await harness.send('front');
    harness.gates.hold('read');
    for (let frame = 0; frame < 40; frame += 1) await harness.send('front');
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    await harness.clock.advance(1000);
    await harness.clock.advance(1000);
    await removal;
    harness.gates.open('read');
    await harness.settle();
    expect(errors).toHaveLength(11);
    expect(harness.sender.getStats().lateCompletions).toMatchObject({ 'encode error': 1 });
    // Its frame is the one that no event reports.
    const reported = new Set(harness.reports.map(({ timestamp }) => timestamp));
    const unreported = harness.given.filter(({ timestamp }) => !reported.has(timestamp));
    expect(unreported).toMatchObject([{ releases: 1 }]);
    harness.given.splice(0, harness.given.length, ...harness.given.filter((frame) => !unreported.includes(frame)));
  });

  it('goes on trying when no fresh one can be opened', async () => {
    await withTracks('front');
    const [encoder] = harness.encoders.encoders;
    if (encoder !== undefined) encoder.readError = fault;
    harness.encoders.openError = new FramelockError('ENCODER_OPEN_FAILED', 'out of sessions');
    for (let frame = 0; frame < 20; frame += 1) await harness.send('front');
    expect(errors.map(({ error }) => error)).toContain(harness.encoders.openError);
    if (encoder !== undefined) encoder.readError = undefined;
    for (let frame = 0; frame < 20; frame += 1) await harness.send('front');
    expect(harness.reports.at(-1)).toMatchObject({ outcome: 'sent' });
  });

  it('can be removed, and its sender closed, while it is getting a fresh one', async () => {
    await withTracks('front', 'rear');
    const [encoder] = harness.encoders.encoders;
    if (encoder !== undefined) encoder.readError = fault;
    harness.gates.hold('open');
    for (let frame = 0; frame < 10; frame += 1) await harness.send('front');
    expect(harness.gates.waiting).toBe(1);
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    harness.gates.open('open');
    await removal;
    expect(harness.sender.getStats().lateCompletions).toEqual({ encoder: 1 });
  });

  it('is judged by its rate from its own beginning on, not by that of the encoder before it', async () => {
    harness = new SenderHarness({ encoder: { chunkBytes: 20_000 } });
    errors = [];
    harness.sender.on('error', (event) => void errors.push(event));
    await harness.connected('front');
    for (let frame = 0; frame < 106; frame += 1) await harness.send('front');
    await harness.sender.recreateEncoder('front');
    for (let frame = 0; frame < 45; frame += 1) await harness.send('front');
    expect(errors).toEqual([]);
    for (let frame = 0; frame < 90; frame += 1) await harness.send('front');
    expect(errors).toHaveLength(1);
  });

  it('is replaced when it keeps making far more than its target, and that is said', async () => {
    harness = new SenderHarness({ encoder: { chunkBytes: 20_000 } });
    errors = [];
    harness.sender.on('error', (event) => void errors.push(event));
    await harness.connected('front');
    harness.sender.updateBitrate(1_000_000);
    for (let frame = 0; frame < 150; frame += 1) await harness.send('front');
    expect(errors[0]?.error).toMatchObject({ code: 'ENCODER_OFF_TARGET', context: { trackId: 'front' } });
    expect(harness.sender.getTrackStats('front').encoderSwaps).toBe(1);
  });
});
