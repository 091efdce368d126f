import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Signaller } from '../../src/signalling/signaller.js';
import { gate, SenderHarness } from './sender-harness.js';

let harness: SenderHarness;
let told: (readonly string[])[];

beforeEach(async () => {
  harness = new SenderHarness();
  told = [];
  await harness.addTracks('front');
});

afterEach(() => harness.sender.close());

function signaller(canTrickle: boolean, answer: Promise<unknown> = Promise.resolve()): Signaller {
  return {
    ...harness.whip,
    canTrickle,
    trickle: async (candidates) => {
      told.push(candidates);
      return true;
    },
    offer: async (sdp, signal) => {
      await answer;
      return harness.whip.offer(sdp, signal);
    },
  };
}

describe('candidates that come after the offer', () => {
  it('are told to the server, after its answer', async () => {
    const held = gate();
    const connecting = harness.sender.connect(signaller(true, held.promise));
    await harness.settle();
    harness.network.last.observer.candidates?.(['a=candidate:1']);
    await harness.settle();
    expect(told).toEqual([]);
    held.open();
    await connecting;
    await harness.settle();
    expect(told).toEqual([['a=candidate:1']]);
  });

  it('are waited for where the server would not take them', async () => {
    await harness.sender.connect(signaller(false));
    expect(harness.network.last.observer.candidates).toBeUndefined();
  });

  it('are told to nobody once the connection is closed', async () => {
    const held = gate();
    const connecting = harness.sender.connect(signaller(true, held.promise)).catch(() => undefined);
    await harness.settle();
    harness.network.last.observer.candidates?.(['a=candidate:1']);
    await harness.sender.close();
    held.open();
    await connecting;
    await harness.settle();
    expect(told).toEqual([]);
  });
});
