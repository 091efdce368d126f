import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { writePli } from '../../src/rtp/rtcp-write.js';
import type { SessionVerdict } from '../../src/signalling/signaller.js';
import { codeOf, gate, SenderHarness } from './sender-harness.js';

let harness: SenderHarness;
let states: string[];

beforeEach(async () => {
  harness = new SenderHarness();
  states = [];
  harness.sender.on('connectionState', ({ state }) => void states.push(state));
  await harness.addTracks('front');
});

afterEach(async () => {
  await harness.sender.close();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.clock.pendingTimers).toBe(0);
});

/** Sends a frame, and tells of what kind it was. */
async function sendFrame(): Promise<string | undefined> {
  harness.give('front');
  await harness.clock.advance(40);
  const report = harness.reports.at(-1);
  return report?.outcome === 'sent' ? report.type : undefined;
}

/** Holds up each restart until it is opened. */
function holdRestarts(): ReturnType<typeof gate> {
  const held = gate();
  harness.network.gate = async (step) => {
    if (step === 'restart') await held.promise;
  };
  return held;
}

describe('a peer that falls silent', () => {
  it('makes ICE restart: the connection stays, and its picture resumes with a key frame', async () => {
    await harness.sender.connect(harness.whipThatRestarts);
    await sendFrame();
    expect(await sendFrame()).toBe('delta');
    harness.network.last.become('disconnected', 'silence');
    await harness.settle();
    expect(harness.fragments).toEqual(['restart 1']);
    expect(states).toEqual(['connecting', 'connected', 'disconnected', 'connected']);
    expect(harness.network.transports).toHaveLength(1);
    expect(await sendFrame()).toBe('key');
    expect(await sendFrame()).toBe('delta');
  });

  it('is left alone where signalling takes no restarts', async () => {
    await harness.sender.connect(harness.whip);
    harness.network.last.become('disconnected');
    await harness.settle();
    expect(harness.network.last.restarts).toBe(0);
    expect(harness.sender.state).toBe('disconnected');
  });

  it('makes one restart at a time; one that fails changes nothing, and the next silence makes another', async () => {
    await harness.sender.connect(harness.whipThatRestarts);
    const { last } = harness.network;
    const held = holdRestarts();
    for (const state of ['disconnected', 'connected', 'disconnected'] as const) last.become(state);
    await harness.settle();
    expect(last.restarts).toBe(1);
    held.open();
    await harness.settle();
    expect(harness.sender.state).toBe('connected');
    expect(last.restarts).toBe(1);
    harness.network.gate = () => {
      throw new FramelockError('CONNECT_FAILED', 'no pair');
    };
    last.become('disconnected');
    await harness.settle();
    expect(harness.sender.state).toBe('disconnected');
    expect(harness.network.transports).toHaveLength(1);
    harness.network.gate = undefined;
    last.become('connected');
    last.become('disconnected');
    await harness.settle();
    expect(harness.sender.state).toBe('connected');
  });
});

describe('a machine that moves to another network', () => {
  it('keeps its connection throughout, and its picture goes on with a key frame', async () => {
    await harness.sender.connect(harness.whipThatRestarts);
    await sendFrame();
    const held = holdRestarts();
    harness.network.last.observer.addressesChanged?.('the address is gone');
    await harness.settle();
    expect(await sendFrame()).toBe('delta');
    held.open();
    await harness.settle();
    expect(await sendFrame()).toBe('key');
    expect(states).toEqual(['connecting', 'connected']);
  });

  it.each([
    ['where signalling takes no restarts', 'whip'],
    ['where the restart fails', 'whipThatRestarts'],
  ] as const)('%s loses its connection at once, unless the peer is heard again', async (_where, signaller) => {
    await harness.sender.connect(harness[signaller]);
    harness.network.gate = (step) => {
      if (step === 'restart') throw new FramelockError('SIGNALLING_REJECTED', 'no');
    };
    const { last } = harness.network;
    last.observer.addressesChanged?.('the address is gone');
    await harness.settle();
    expect(harness.sender.state).toBe('disconnected');
    await harness.clock.advance(1000);
    expect(last.restarts).toBe(signaller === 'whip' ? 0 : 1);
    last.observer.rtcp(writePli(1, 2));
    await harness.settle();
    expect(states).toEqual(['connecting', 'connected', 'disconnected', 'connected']);
    last.observer.addressesChanged?.('the address is gone');
    await harness.settle();
    await harness.sender.connect(harness.whip, { onlyIfLost: true });
    expect(harness.network.transports).toHaveLength(2);
    last.observer.addressesChanged?.('too late');
    expect(harness.sender.state).toBe('connected');
  });

  it('again during a restart has that one give way, since its candidates are from before', async () => {
    await harness.sender.connect(harness.whipThatRestarts);
    const { observer } = harness.network.last;
    const held = holdRestarts();
    observer.addressesChanged?.('gone');
    await harness.settle();
    observer.addressesChanged?.('there is another');
    await harness.settle();
    expect(harness.fragments).toEqual(['restart 1', 'restart 2']);
    held.open();
    await harness.settle();
    expect(harness.sender.state).toBe('connected');
  });
});

describe('a network that is not complete yet when the machine has moved to it', () => {
  /** Connected, on the way to another network where the first `attempts` restarts fail. */
  async function move(attempts: number, code: 'CONNECT_FAILED' | 'SIGNALLING_FAILED' = 'SIGNALLING_FAILED') {
    await harness.sender.connect(harness.whipThatRestarts);
    const { last } = harness.network;
    harness.network.gate = (step) => {
      if (step === 'restart' && last.restarts <= attempts) throw new FramelockError(code, 'no route');
    };
    last.observer.addressesChanged?.('the address is gone');
    await harness.settle();
    expect(harness.sender.state).toBe('disconnected');
    return last;
  }

  it.each(['CONNECT_FAILED', 'SIGNALLING_FAILED'] as const)(
    'has the restart tried again after %s, and whoever connects only if lost keeps the session',
    async (code) => {
      const last = await move(3, code);
      const saved = harness.sender.connect(harness.whipThatRestarts, { onlyIfLost: true });
      await harness.clock.advance(600);
      await saved;
      expect(last.restarts).toBe(4);
      expect(states).toEqual(['connecting', 'connected', 'disconnected', 'connected']);
      expect(harness.network.transports).toHaveLength(1);
      expect(await sendFrame()).toBe('key');
    },
  );

  it('is given up after the time of one restart, for a fresh session', async () => {
    const last = await move(Number.POSITIVE_INFINITY);
    const fresh = harness.sender.connect(harness.whipThatRestarts, { onlyIfLost: true });
    await harness.clock.advance(3000);
    await fresh;
    expect(last.restarts).toBe(15);
    expect(harness.network.transports).toHaveLength(2);
    expect(states).toEqual(['connecting', 'connected', 'disconnected', 'connecting', 'connected']);
  });

  it('is not waited for by whoever connects in any case, nor by closing', async () => {
    await move(Number.POSITIVE_INFINITY);
    await harness.sender.connect(harness.whipThatRestarts);
    expect(harness.network.transports).toHaveLength(2);
    harness.network.gate = (step) => {
      if (step === 'restart') throw new FramelockError('SIGNALLING_FAILED', 'no route');
    };
    harness.network.last.observer.addressesChanged?.('gone again');
    await harness.settle();
    await harness.sender.close();
    expect(harness.clock.pendingTimers).toBe(0);
  });

  it('is asked for again from the beginning when addresses come and go once more', async () => {
    const last = await move(Number.POSITIVE_INFINITY);
    const saved = harness.sender.connect(harness.whipThatRestarts, { onlyIfLost: true });
    await harness.clock.advance(2000);
    last.observer.addressesChanged?.('there is another');
    await harness.clock.advance(2000);
    const restarts = last.restarts;
    harness.network.gate = undefined;
    await harness.clock.advance(200);
    expect(last.restarts).toBe(restarts + 1);
    await saved;
    expect(harness.network.transports).toHaveLength(1);
    expect(states).toEqual(['connecting', 'connected', 'disconnected', 'connected']);
  });
});

describe('during an ICE restart', () => {
  it('connecting afresh does not wait for it, unless it is to save the connection', async () => {
    await harness.sender.connect(harness.whipThatRestarts);
    const held = holdRestarts();
    harness.network.last.become('disconnected');
    await harness.settle();
    const saved = harness.sender.connect(harness.whipThatRestarts, { onlyIfLost: true });
    held.open();
    await saved;
    expect(harness.network.transports).toHaveLength(1);

    holdRestarts();
    harness.network.last.become('disconnected');
    await harness.settle();
    await harness.sender.connect(harness.whipThatRestarts);
    expect(harness.network.transports).toHaveLength(2);
    expect(harness.sender.state).toBe('connected');
  });

  it('closing does not wait for it', async () => {
    await harness.sender.connect(harness.whipThatRestarts);
    holdRestarts();
    harness.network.last.become('disconnected');
    await harness.settle();
    const report = await harness.sender.close();
    expect(report.clean).toBe(true);
  });

  it('a loss that connects only if lost is a fresh connection', async () => {
    await harness.sender.connect(harness.whip);
    harness.network.last.become('failed');
    expect(await codeOf(harness.sender.connect(harness.whip, { onlyIfLost: true }))).toBeUndefined();
    expect(harness.network.transports).toHaveLength(2);
  });
});

describe('a peer about which there is doubt', () => {
  /** Connected by a server that says this of the session. */
  async function doubtful(verdict: SessionVerdict) {
    const held = gate();
    const confirm = async (): Promise<SessionVerdict> => {
      await held.promise;
      return verdict;
    };
    await harness.sender.connect({ ...harness.whip, confirm });
    const heard = new AbortController();
    harness.network.last.observer.peerDoubted?.(heard.signal);
    await harness.settle();
    return { held, heard };
  }

  it.each([
    ['gone', 'failed'],
    ['unconfirmed', 'disconnected'],
    ['open', 'connected'],
    ['unknown', 'connected'],
  ] as const)('is %s by its server: the connection is %s', async (verdict, state) => {
    const { held } = await doubtful(verdict);
    expect(harness.sender.state).toBe('connected');
    held.open();
    await harness.settle();
    expect(harness.sender.state).toBe(state);
  });

  it.each(['gone', 'unconfirmed'] as const)('and is heard again before it is %s, stays connected', async (verdict) => {
    const { held, heard } = await doubtful(verdict);
    heard.abort();
    held.open();
    await harness.settle();
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('and is not vouched for, but is heard later, is connected again', async () => {
    const { held } = await doubtful('unconfirmed');
    held.open();
    await harness.settle();
    harness.network.last.observer.rtcp(writePli(1, 2));
    await harness.settle();
    expect(states).toEqual(['connecting', 'connected', 'disconnected', 'connected']);
  });

  it('and has been replaced meanwhile, does not harm the next one', async () => {
    const { held } = await doubtful('gone');
    await harness.sender.connect(harness.whip);
    held.open();
    await harness.settle();
    expect(harness.sender.state).toBe('connected');
  });
});
