import { beforeEach, describe, expect, it } from 'vitest';
import { PeerLiveness } from '../../../src/transport/werift/peer-liveness.js';
import { VirtualClock } from '../../support/virtual-clock.js';

let clock: VirtualClock;
/** Whether questions reach the peer, and answers us. */
let isCut: boolean;
let changes: (string | undefined)[];
let probes: number;
let doubts: AbortSignal[];
let liveness: PeerLiveness;

beforeEach(() => {
  clock = new VirtualClock();
  isCut = false;
  changes = [];
  probes = 0;
  doubts = [];
  liveness = new PeerLiveness({
    clock,
    probe: () => {
      probes += 1;
      if (!isCut) clock.setTimer(100, () => liveness.heard());
    },
    doubted: (heard) => void doubts.push(heard),
    changed: (reason) => void changes.push(reason),
  });
  liveness.start();
});

describe('PeerLiveness', () => {
  it('asks a peer nothing that reports by itself', async () => {
    for (let report = 0; report < 20; report += 1) {
      liveness.heard();
      await clock.advance(700);
    }
    expect(probes).toBe(0);
    expect(changes).toEqual([]);
  });

  it('asks a quiet peer about once a second, and is content with its answers', async () => {
    await clock.advance(60_000);
    expect(probes).toBeGreaterThan(40);
    expect(probes).toBeLessThan(65);
    expect(doubts).toEqual([]);
    expect(changes).toEqual([]);
  });

  it('notices within 5 s that the peer has vanished, whenever that is, and hears it at once when it is back', async () => {
    for (let beginMs = 0; beginMs < 1500; beginMs += 70) {
      isCut = false;
      await clock.advance(5000 + beginMs);
      changes.length = 0;
      isCut = true;
      await clock.advance(5000);
      expect(changes).toEqual(['nothing came from the peer for 4 s']);
      expect(liveness.isSilent).toBe(true);
      isCut = false;
      await clock.advance(750);
      expect(changes).toEqual(['nothing came from the peer for 4 s', undefined]);
      expect(liveness.isSilent).toBe(false);
    }
  });

  it('has doubts about a peer that does not answer, once a silence, until it is heard again', async () => {
    await clock.advance(5000);
    isCut = true;
    await clock.advance(800);
    expect(doubts).toHaveLength(0);
    await clock.advance(600);
    expect(doubts).toHaveLength(1);
    await clock.advance(5000);
    expect(doubts.map(({ aborted }) => aborted)).toEqual([false]);
    isCut = false;
    await clock.advance(1000);
    isCut = true;
    await clock.advance(2000);
    expect(doubts.map(({ aborted }) => aborted)).toEqual([true, false]);
    liveness.stop();
    expect(doubts.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it.each([300, 2000])('is not alarmed by a blackout of %i ms, whenever it begins', async (blackoutMs) => {
    for (let beginMs = 0; beginMs < 1500; beginMs += 70) {
      await clock.advance(3000 + beginMs);
      isCut = true;
      await clock.advance(blackoutMs);
      isCut = false;
      await clock.advance(3000);
    }
    expect(changes).toEqual([]);
  });

  it('does not take time in which the process did not run for silence', async () => {
    const stalled = new VirtualClock();
    let aheadUs = 0;
    let told = 0;
    const late = new PeerLiveness({
      clock: {
        nowUs: () => stalled.nowUs() + aheadUs,
        wallUs: () => 0,
        setTimer: (ms, run) => stalled.setTimer(ms, run),
      },
      probe: () => undefined,
      doubted: () => undefined,
      changed: () => {
        told += 1;
      },
    });
    late.start();
    await stalled.advance(1000);
    aheadUs = 30_000_000;
    await stalled.advance(1000);
    late.heard();
    expect(told).toBe(0);
    late.stop();
  });

  it('leaves no timer', () => {
    liveness.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
