import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { ConnectionKeeper } from '../../src/service/connection-keeper.js';
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

function keep(): ConnectionKeeper {
  controller = new AbortController();
  return new ConnectionKeeper({
    sender: harness.sender,
    signaller: harness.whip,
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
    if (step === 'connect') throw new FramelockError('CONNECT_FAILED', 'no way');
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

  it('spaces its attempts further and further, up to a limit, and goes on until the SFU is back', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await keep().start();
    breakNetwork();
    await lose();
    await harness.clock.advance(20_000);
    // Half of 0.5, 1, 2, 4, 8, 8, 8... seconds each.
    expect(harness.network.transports.length).toBeGreaterThanOrEqual(7);
    expect(harness.network.transports.length).toBeLessThanOrEqual(9);
    harness.network.gate = undefined;
    await harness.clock.advance(5000);
    expect(harness.sender.state).toBe('connected');
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
