import { beforeEach, describe, expect, it } from 'vitest';
import { AddressWatch, type WatchedRoute } from '../../../src/transport/lifecycle/address-watch.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const LOST = 'the machine no longer has the address 10.0.0.1';
const SILENT = "the machine's addresses changed while the peer was silent";

let clock: VirtualClock;
let addresses: readonly string[];
let route: WatchedRoute;
let told: string[];
let watch: AddressWatch;

beforeEach(() => {
  clock = new VirtualClock();
  addresses = ['127.0.0.1', '10.0.0.1', '10.0.1.1'];
  route = { localAddress: '10.0.0.1', isSilent: false };
  told = [];
  watch = new AddressWatch({
    clock,
    addresses: () => addresses,
    route: () => route,
    moved: (reason) => void told.push(reason),
  });
  watch.start();
});

async function become(...now: string[]): Promise<void> {
  addresses = now;
  await clock.advance(1500);
}

describe('AddressWatch', () => {
  it('tells once that the address of the route is gone, and again when another one has come', async () => {
    await become('127.0.0.1');
    expect(told).toEqual([LOST]);
    await become('127.0.0.1', '10.0.2.1');
    expect(told).toEqual([LOST, LOST]);
    route = { localAddress: '10.0.2.1', isSilent: false };
    await become('127.0.0.1', '10.0.2.1', '10.0.3.1');
    expect(told).toHaveLength(2);
  });

  it('leaves a route that works alone, whatever comes and goes beside it', async () => {
    await become('10.0.0.1');
    await become('10.0.0.1', '10.0.9.1', 'fe80::1');
    expect(told).toEqual([]);
  });

  it('tells of every change while the peer is silent, and of none if there was none', async () => {
    route = { localAddress: '10.0.0.1', isSilent: true };
    await become('127.0.0.1', '10.0.0.1', '10.0.1.1');
    expect(told).toEqual([]);
    await become('127.0.0.1', '10.0.0.1', '10.0.4.1');
    expect(told).toEqual([SILENT]);
  });

  it('knows nothing of the way to a relay, and goes by silence alone', async () => {
    route = { localAddress: undefined, isSilent: false };
    await become('127.0.0.1');
    expect(told).toEqual([]);
    route = { localAddress: undefined, isSilent: true };
    await become('127.0.0.1', '10.0.0.1');
    expect(told).toEqual([SILENT]);
  });

  it('does not take an address that it never saw for one that is gone', async () => {
    route = { localAddress: '0:0::1', isSilent: false };
    await become('127.0.0.1');
    expect(told).toEqual([]);
  });

  it('leaves no timer', () => {
    watch.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
