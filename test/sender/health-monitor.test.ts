import { describe, expect, it } from 'vitest';
import { isFault } from '../../src/sender/stats/health-monitor.js';
import { SenderHarness } from './sender-harness.js';

describe('the health of tracks', () => {
  it('is told once for each change, for every track by itself', async () => {
    const harness = await new SenderHarness().connected('front', 'rear');
    const told: string[] = [];
    harness.sender.on('trackHealth', ({ trackId, health }) => void told.push(`${trackId} ${health}`));
    await harness.clock.advance(500);
    for (let frame = 0; frame < 60; frame += 1) await harness.send('front');
    await harness.clock.advance(3000);
    await harness.sender.setBitrateAllocation({ rear: 1 });
    await harness.clock.advance(1000);
    expect(told).toEqual(['front waiting', 'rear waiting', 'front ok', 'front no-input', 'front paused']);
    await harness.sender.close();
  });

  it('is a fault only if frames come and none is encoded', () => {
    expect((['waiting', 'ok', 'stalled', 'no-input', 'paused'] as const).filter(isFault)).toEqual(['stalled']);
  });

  it('makes the sender unhealthy while it is not connected', async () => {
    const harness = await new SenderHarness().connected('front');
    await harness.send('front');
    expect(harness.sender.getStats().healthy).toBe(true);
    harness.network.last.become('disconnected');
    expect(harness.sender.getStats().healthy).toBe(false);
    await harness.sender.close();
  });
});
