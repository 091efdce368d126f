import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { percentile } from '../../src/bench/support/percentile.js';
import { FAR_RELAY, NEAR_RELAY } from '../support/network/addresses.js';
import { type Arrival, EmulatedLink, type EmulatedLinkInit } from '../support/network/emulated-link.js';
import type { ProbeArrival, ProbeRequest } from '../support/network/udp-probe-child.js';
import { Program } from '../support/program.js';

const PROBE = new URL('../support/network/udp-probe-child.ts', import.meta.url);
const ONE_WAY_MS = 40;
const QUEUE_MS = 200;
const SIZE_BYTES = 1200;
/** A machine that others use holds datagrams up. */
const PATIENCE_MS = 60;
/** What is on its way arrives in this time, and the relay tells of it. */
const SETTLE_MS = 800;

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A link with a probe at each end; they have heard of one another. */
async function openProbed(init: Partial<EmulatedLinkInit> = {}) {
  const arrivals: Arrival[] = [];
  const there: ProbeArrival[] = [];
  const back: ProbeArrival[] = [];
  const link = await EmulatedLink.open({
    oneWayMs: ONE_WAY_MS,
    queueMs: QUEUE_MS,
    capacityBps: 2e6,
    arrived: (some) => void arrivals.push(...some),
    died: (reason) => console.error(reason),
    ...init,
  });
  cleanups.push(() => link.close());
  const probe = (side: 'near' | 'far', got: ProbeArrival[]) =>
    link.start(side, {
      script: PROBE,
      args: [JSON.stringify(side === 'near' ? NEAR_RELAY : FAR_RELAY)],
      received: (arrival) => void got.push(arrival as ProbeArrival),
    });
  const [near, far] = await Promise.all([probe('near', back), probe('far', there)]);
  /** Resolves when what is sent has arrived, or never will. */
  const send = async (side: 'near' | 'far', request: ProbeRequest): Promise<void> => {
    (side === 'near' ? near : far).send(request);
    await sleep((request.count * request.sizeBytes * 8000) / request.bps + SETTLE_MS);
  };
  // The first datagram of each side tells its relay where the host is; those of the far host have nowhere to go before.
  await send('near', { count: 1, sizeBytes: SIZE_BYTES, bps: 1e6 });
  await send('far', { count: 1, sizeBytes: SIZE_BYTES, bps: 1e6 });
  for (const got of [arrivals, there, back]) got.length = 0;
  return { link, arrivals, there, back, send };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function transitMs(got: readonly ProbeArrival[]): number[] {
  return got.map(({ sentAtUs, atUs }) => (atUs - sentAtUs) / 1000);
}

/** Of what came in the last second: the queue is full by then. */
function lastSecondBps(arrivals: readonly Arrival[]): number {
  const endUs = arrivals.at(-1)?.atUs ?? 0;
  const bytes = arrivals.filter(({ atUs }) => atUs > endUs - 1e6).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return bytes * 8;
}

function namespaces(): string {
  return execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
}

describe('the emulated link', () => {
  it('delays both ways, and loses and queues nothing of a flow below its capacity', async () => {
    const { there, back, arrivals, send } = await openProbed();
    await send('near', { count: 60, sizeBytes: SIZE_BYTES, bps: 5e5 });
    await send('far', { count: 60, sizeBytes: SIZE_BYTES, bps: 5e5 });
    for (const got of [there, back]) {
      expect(got.map(({ index }) => index)).toEqual(Array.from({ length: 60 }, (_, index) => index));
      expect(Math.min(...transitMs(got))).toBeGreaterThanOrEqual(ONE_WAY_MS);
      expect(percentile(transitMs(got), 50)).toBeLessThan(ONE_WAY_MS + PATIENCE_MS);
    }
    expect(arrivals.map(({ sizeBytes }) => sizeBytes)).toEqual(Array(60).fill(SIZE_BYTES));
    const waits = arrivals.map(({ queueUs }) => queueUs / 1000);
    expect(percentile(waits, 50)).toBeLessThan(PATIENCE_MS);
  });

  it('carries its capacity and no more, from a change on the new one, and holds a queue up to its bound', async () => {
    const { link, there, arrivals, send } = await openProbed();
    await send('near', { count: 1000, sizeBytes: SIZE_BYTES, bps: 4e6 });
    expect(lastSecondBps(arrivals) / 2e6).toBeGreaterThan(0.9);
    expect(lastSecondBps(arrivals) / 2e6).toBeLessThan(1.05);
    expect(arrivals.length).toBeLessThan(700);
    const waits = arrivals.map(({ queueUs }) => queueUs / 1000);
    expect(Math.max(...waits)).toBeGreaterThan(0.9 * QUEUE_MS);
    expect(percentile(waits, 95)).toBeLessThan(QUEUE_MS + PATIENCE_MS);
    // What the relay tells is what the hosts see.
    expect(there).toHaveLength(arrivals.length);
    expect(percentile(transitMs(there), 95)).toBeGreaterThan(0.9 * QUEUE_MS + ONE_WAY_MS);

    await link.setCapacity(500_000);
    arrivals.length = 0;
    await send('near', { count: 500, sizeBytes: SIZE_BYTES, bps: 2e6 });
    expect(lastSecondBps(arrivals) / 5e5).toBeGreaterThan(0.9);
    expect(lastSecondBps(arrivals) / 5e5).toBeLessThan(1.05);
  });

  it('loses the share that it should, before the queue, and the same packets each time', async () => {
    const lost: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const { there, send } = await openProbed({ capacityBps: 20e6, lossShare: 0.1, seed: 7 });
      await send('near', { count: 2000, sizeBytes: 200, bps: 3e6 });
      const got = new Set(there.map(({ index }) => index));
      const missing = Array.from({ length: 2000 }, (_, index) => index).filter((index) => !got.has(index));
      expect(missing.length).toBeGreaterThan(150);
      expect(missing.length).toBeLessThan(250);
      lost.push(missing.join());
    }
    expect(lost[0]).toBe(lost[1]);
  });

  it('leaves no namespace behind', async () => {
    const { link } = await openProbed();
    for (const name of link.namespaces) expect(namespaces()).toContain(name);
    await link.close();
    for (const name of link.namespaces) expect(namespaces()).not.toContain(name);
  });
});

describe('the benchmark congestion-real', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('leaves no namespace behind on %s', async (signal) => {
    const program = new Program(['congestion-real', '--quick'], {}, 'bench/run.ts');
    cleanups.push(() => program.kill());
    const own = `framelock-${program.pid}-`;
    while (!namespaces().includes(own)) await sleep(50);
    await sleep(2000);
    expect(await program.signal(signal)).toEqual({ code: signal === 'SIGINT' ? 130 : 143, signal: null });
    expect(namespaces()).not.toContain(own);
  });
});
