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
