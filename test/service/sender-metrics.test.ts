import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { registerSenderMetrics } from '../../src/service/sender-metrics.js';
import { SenderHarness } from '../sender/sender-harness.js';

describe('metrics of a sender', () => {
  it('are read at each scrape, one series a track, and go when the track goes', async () => {
    const harness = await new SenderHarness().connected('front', 'rear');
    const registry = new Registry();
    const unregister = registerSenderMetrics(harness.sender, registry);
    await harness.send('front');
    await harness.send('front');
    const first = await registry.metrics();
    expect(first).toContain('framelock_frames_sent_total{track="front"} 2');
    expect(first).toContain('framelock_frames_sent_total{track="rear"} 0');
    expect(first).toContain('framelock_connected 1');
    await harness.sender.removeTrack('rear');
    await harness.send('front');
    const second = await registry.metrics();
    expect(second).toContain('framelock_frames_sent_total{track="front"} 3');
    expect(second).not.toContain('rear');
    unregister();
    expect(await registry.metrics()).not.toContain('framelock_');
    await harness.sender.close();
  });

  it('tell dropped frames by reason', async () => {
    const harness = await new SenderHarness().connected('front', 'rear');
    const registry = new Registry();
    registerSenderMetrics(harness.sender, registry);
    await harness.sender.setBitrateAllocation({ front: 1 });
    await harness.send('rear');
    expect(await registry.metrics()).toContain('framelock_frames_dropped_total{track="rear",reason="paused"} 1');
    await harness.sender.close();
  });
});

describe('metrics of a camera with encodings', () => {
  const encodings = [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }];

  async function scraped(harness: SenderHarness): Promise<ReadonlyMap<string, number>> {
    const registry = new Registry();
    registerSenderMetrics(harness.sender, registry);
    const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
  }

  it('have series of their own names for each, which add up to those of the camera', async () => {
    const harness = await new SenderHarness({ startBitrateBps: 4_000_000 }).connected('rear');
    harness.network.wishes = new Map([
      ['f', 'wanted'],
      ['h', 'wanted'],
    ]);
    await harness.sender.addVideoTrack({ id: 'front', width: 64, height: 48, encodings });
    await harness.settle();
    await harness.send('front');
    const series = await scraped(harness);
    expect(series.get('framelock_frames_sent_total{track="front"}')).toBe(2);
    expect(series.get('framelock_encoding_frames_sent_total{track="front",rid="f"}')).toBe(1);
    expect(series.get('framelock_encoding_frames_sent_total{track="front",rid="h"}')).toBe(1);
    const targets = ['f', 'h'].map(
      (rid) => series.get(`framelock_encoding_target_bytes_per_second{track="front",rid="${rid}"}`) ?? 0,
    );
    expect(targets[0]).toBeGreaterThan(0);
    expect((targets[0] ?? 0) + (targets[1] ?? 0)).toBe(series.get('framelock_target_bytes_per_second{track="front"}'));
    await harness.sender.close();
  });

  it('leave every series of other cameras, and of this one without its encodings, as it was', async () => {
    const names = async (more: object): Promise<readonly string[]> => {
      const harness = await new SenderHarness().connected('rear');
      await harness.sender.addVideoTrack({ id: 'front', width: 64, height: 48, ...more });
      const series = [...(await scraped(harness)).keys()];
      await harness.sender.close();
      return series.filter((name) => !name.includes('rid=') && !name.includes('encoderMu')).sort();
    };
    expect(await names({ encodings })).toEqual(await names({}));
  });

  it('tell waits for the lock of each', async () => {
    const harness = await new SenderHarness().connected('rear');
    await harness.sender.addVideoTrack({ id: 'front', width: 64, height: 48, encodings });
    const counts = [...(await scraped(harness)).keys()].filter((name) => name.includes('lock_wait_seconds_count'));
    expect(counts.filter((name) => name.includes('encoderMu') && name.includes('side="write"'))).toEqual([
      'framelock_lock_wait_seconds_count{lock="encoderMu",track="rear",side="write"}',
      'framelock_lock_wait_seconds_count{lock="encoderMu",track="front",rid="f",side="write"}',
      'framelock_lock_wait_seconds_count{lock="encoderMu",track="front",rid="h",side="write"}',
    ]);
    await harness.sender.close();
  });
});
