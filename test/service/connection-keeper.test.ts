import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { ConnectionKeeper } from '../../src/service/connection-keeper.js';
import type { Signaller } from '../../src/signalling/signaller.js';
import { SenderHarness } from '../sender/sender-harness.js';
import { fixedRandom } from '../support/fixed-random.js';

const HALF = 0x8000_0000;

let harness: SenderHarness;

let controller: AbortController;

afterEach(async () => {
  controller.abort();
  await harness.sender.close();
  expect(harness.clock.pendingTimers).toBe(0);
});

function keep(signaller: Signaller = harness.whip): ConnectionKeeper {
  controller = new AbortController();
  return new ConnectionKeeper({
    sender: harness.sender,
    signaller,
    clock: harness.clock,
    random: fixedRandom(HALF),
    logger: silentLogger,
    signal: controller.signal,
  });
}

/** Breaks the connection, and lets the news get through. */
async function lose(state: 'failed' | 'disconnected' = 'failed'): Promise<void> {
  harness.network.last.become(state);
  await harness.settle();
}

/** Lets every connect fail in ICE. */
function breakNetwork(): void {
  harness.network.gate = (step) => {
    if (step === 'gather') throw new FramelockError('CONNECT_FAILED', 'no way');
  };
}

describe('keeping a connection', () => {
  it('does not repeat the first connect: the address is most likely wrong', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    breakNetwork();
    await expect(keep().start()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    await harness.clock.advance(60_000);
    expect(harness.network.transports).toHaveLength(1);
  });

  it.each(['failed', 'disconnected'] as const)('takes a connection up again that is %s', async (state) => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await keep().start();
    await lose(state);
    await harness.clock.advance(300);
    expect(harness.network.transports).toHaveLength(2);
    expect(harness.network.transports[0]?.state).toBe('closed');
    expect(harness.sender.state).toBe('connected');
  });

  it('leaves a connection alone that comes back by itself', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await keep().start();
    await lose('disconnected');
    harness.network.last.become('connected');
    await harness.clock.advance(10_000);
    expect(harness.network.transports).toHaveLength(1);
    expect(harness.sender.state).toBe('connected');
  });

  it('lets an ICE restart save the connection, and connects afresh only after one that failed', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await keep(harness.whipThatRestarts).start();
    await lose('disconnected');
    await harness.clock.advance(10_000);
    expect(harness.network.transports).toHaveLength(1);
    expect(harness.network.last.restarts).toBe(1);
    expect(harness.sender.state).toBe('connected');

    harness.network.gate = async (step) => {
      if (step === 'restart') await new Promise<void>((resolve) => harness.clock.setTimer(2000, resolve));
      if (step === 'restart') throw new FramelockError('CONNECT_FAILED', 'no pair');
    };
    await lose('disconnected');
    await harness.clock.advance(1900);
    expect(harness.network.transports).toHaveLength(1);
    await harness.clock.advance(200);
    expect(harness.network.transports).toHaveLength(2);
    expect(harness.sender.state).toBe('connected');
  });

  it('spaces its attempts so that the SFU is found soon in the first minute, and further later on', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await keep().start();
    breakNetwork();
    await lose();
    await harness.clock.advance(20_000);
    // Half of 0.5, 1, 1.5, 1.5... seconds each.
    expect(harness.network.transports.length).toBeGreaterThanOrEqual(26);
    expect(harness.network.transports.length).toBeLessThanOrEqual(28);
    await harness.clock.advance(45_000);
    const later = harness.network.transports.length;
    await harness.clock.advance(40_000);
    // Half of 8 seconds each.
    expect(harness.network.transports.length - later).toBeGreaterThanOrEqual(9);
    expect(harness.network.transports.length - later).toBeLessThanOrEqual(11);
    harness.network.gate = undefined;
    await harness.clock.advance(5000);
    expect(harness.sender.state).toBe('connected');
  });

  it('waits for as long as the server asks it to, within reason', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    let offers = 0;
    let retryAfterMs = 0;
    const busy: Signaller = {
      ...harness.whip,
      offer: async () => {
        offers += 1;
        if (retryAfterMs === 0) return { sdp: 'answer' };
        throw new FramelockError('SIGNALLING_REJECTED', 'busy', { context: { status: 503, retryAfterMs } });
      },
    };
    await keep(busy).start();
    retryAfterMs = 10_000;
    await lose();
    await harness.clock.advance(9000);
    expect(offers).toBe(2);
    retryAfterMs = 1e9;
    await harness.clock.advance(2000);
    expect(offers).toBe(3);
    await harness.clock.advance(299_000);
    expect(offers).toBe(3);
    await harness.clock.advance(2000);
    expect(offers).toBe(4);
  });

  it('ends when it is told to, also in the middle of a pause', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await keep().start();
    breakNetwork();
    await lose();
    await harness.clock.advance(1000);
    const attempts = harness.network.transports.length;
    controller.abort();
    await harness.clock.advance(60_000);
    expect(harness.network.transports.length).toBe(attempts);
  });
});
