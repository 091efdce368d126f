import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { registerSourceMetrics } from '../../src/service/source-metrics.js';
import { SOURCE_STATES } from '../../src/service/supervision/source-state.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

describe('metrics of sources', () => {
  it('tell the state of each, one series a state, and go with the camera', async () => {
    const harness = new ServiceHarness();
    const robot = await harness.publisher('robot', ['front', 'rear']);
    const registry = new Registry();
    registerSourceMetrics(() => harness.registry.all, registry);
    harness.sources[0]?.sink?.ended(new Error('gone'));
    await settle();
    const lost = await registry.metrics();
    expect(lost).toContain('framelock_source_state{publisher="robot",track="front",state="reopening"} 1');
    expect(lost).toContain('framelock_source_state{publisher="robot",track="front",state="live"} 0');
    expect(lost).toContain('framelock_source_state{publisher="robot",track="rear",state="live"} 1');
    expect(lost.match(/framelock_source_state\{/g)).toHaveLength(2 * SOURCE_STATES.length);
    await harness.clock.advance(1000);
    expect(await registry.metrics()).toContain('framelock_source_reopened_total{publisher="robot",track="front"} 1');
    await robot.removeTrack('front');
    expect(await registry.metrics()).not.toContain('front');
    await harness.registry.closeAll();
  });
});
