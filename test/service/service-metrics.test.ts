import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceMetrics } from '../../src/service/metrics/service-metrics.js';
import { PublisherRegistry } from '../../src/service/publishers/publisher-registry.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

const SPEC = { sfu: { whip: { url: 'http://sfu.invalid' } } };

let harness: ServiceHarness;
let metrics: ServiceMetrics;
let registry: PublisherRegistry;
let linesLost: number;

beforeEach(() => {
  harness = new ServiceHarness();
  linesLost = 0;
  metrics = new ServiceMetrics(
    () => registry.all,
    harness.clock,
    '1.2.3',
    () => linesLost,
  );
  const createSender: ServiceHarness['parts']['createSender'] = (spec, ...rest) => {
    const sender = harness.parts.createSender(spec, ...rest);
    metrics.watch(spec.id, sender);
    return sender;
  };
  registry = new PublisherRegistry({ ...harness.parts, createSender }, () => undefined);
});

afterEach(async () => {
  metrics.process.stop();
  await registry.closeAll();
  expect(harness.clock.pendingTimers).toBe(0);
});

/** Makes a publisher of these cameras, each of which has sent a frame. */
async function publisher(id: string, cameras: readonly string[]) {
  const first = harness.sources.length;
  const tracks = cameras.map((camera) => ({ id: camera, source: camera }));
  const made = registry.create({ id, ...SPEC, tracks }, 'api');
  await settle();
  for (const { sink, format } of harness.sources.slice(first)) {
    const { width, height } = format;
    const data = new Uint8Array((width * height * 3) / 2);
    const timestamp = harness.clock.nowUs();
    sink?.frame({ format: 'I420', codedWidth: width, codedHeight: height, data, timestamp });
  }
  await settle();
  return made;
}

/** All series, as name and labels. */
async function series(): Promise<readonly string[]> {
  const lines = (await metrics.registry.metrics()).split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
}

async function reading(name: string): Promise<number> {
  const line = (await metrics.registry.metrics()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

describe('metrics of the service', () => {
  it('have as many series after fifty publishers have come and gone as before', async () => {
    const before = await series();
    for (let index = 0; index < 50; index += 1) {
      const robot = await publisher(`robot-${index}`, ['front', 'rear']);
      if (index % 10 === 0) {
        const present = await series();
        expect(present).toContain(`framelock_frames_sent_total{publisher="robot-${index}",track="rear"}`);
        expect(present).toContain(`framelock_encode_duration_seconds_count{publisher="robot-${index}",track="rear"}`);
      }
      await registry.close(robot);
    }
    expect(await series()).toEqual(before);
  });

  it('lose the series of a camera with the camera, and keep those of the others', async () => {
    const robot = await publisher('robot', ['front', 'rear']);
    expect((await series()).filter((name) => name.includes('"rear"')).length).toBeGreaterThan(50);
    await robot.removeTrack('rear');
    const left = await series();
    expect(left.filter((name) => name.includes('"rear"'))).toEqual([]);
    expect(left.filter((name) => name.includes('"front"')).length).toBeGreaterThan(50);
  });

  it('tell the states of publishers and cameras as the API does', async () => {
    harness.starting = async (name) => {
      if (name === 'rear') throw new Error('no such device');
    };
    await publisher('robot', ['front', 'rear']);
    expect(await reading('framelock_track_state{publisher="robot",track="front",state="live"}')).toBe(1);
    expect(await reading('framelock_track_state{publisher="robot",track="rear",state="failed"}')).toBe(1);
    expect(await reading('framelock_track_state{publisher="robot",track="rear",state="live"}')).toBe(0);
    expect(await reading('framelock_publisher_state{publisher="robot",state="connected"}')).toBe(1);
  });

  it('tell what an allocation needs, and count the leases whose owner did not come back', async () => {
    const { allocation } = await publisher('robot', ['front', 'rear']);
    const lease = { owner: 'autopilot', ttlMs: 1000 };
    const tracks = { front: { minBps: 800_000 }, rear: { minBps: 400_000, paused: true } };
    await allocation.put({ tracks, lease });
    expect(await reading('framelock_needed_bytes_per_second{publisher="robot"}')).toBe(100_000);
    expect(await reading('framelock_lease_held{publisher="robot"}')).toBe(1);
    await allocation.endLease('autopilot');
    expect(await reading('framelock_leases_expired_total{publisher="robot"}')).toBe(0);
    await allocation.put({ tracks, lease });
    await harness.clock.advance(1000);
    await settle();
    expect(await reading('framelock_lease_held{publisher="robot"}')).toBe(0);
    expect(await reading('framelock_leases_expired_total{publisher="robot"}')).toBe(1);
    expect(await reading('framelock_allocation_changes_total{publisher="robot"}')).toBe(4);
  });

  it('count the lines that the log has lost, and say so before there are any', async () => {
    expect(await reading('framelock_log_lines_lost_total')).toBe(0);
    for (linesLost = 3; linesLost < 5; linesLost += 1) {
      expect(await reading('framelock_log_lines_lost_total')).toBe(linesLost);
    }
  });

  it('count how late the event loop is, and waits for locks, in classes that add up', async () => {
    await publisher('robot', ['front']);
    metrics.process.start();
    await harness.clock.advance(1000);
    expect(await reading('framelock_event_loop_delay_seconds_count')).toBe(10);
    const labels = 'publisher="robot",lock="encoderMu",track="front",side="read"';
    const count = await reading(`framelock_lock_wait_seconds_count{${labels}}`);
    expect(count).toBeGreaterThan(0);
    expect(await reading(`framelock_lock_wait_seconds_bucket{${labels},le="0.0001"}`)).toBe(count);
    expect(await reading(`framelock_lock_wait_seconds_bucket{${labels},le="+Inf"}`)).toBe(count);
  });
});
