import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTransport } from './create-transport.js';

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** The addresses that a transport offers to be reached at. */
async function offeredAddresses(options: Parameters<typeof createTransport>[0] = {}): Promise<readonly string[]> {
  const { transport } = createTransport(options);
  const offer = await transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 1 }]);
  await transport.close();
  const candidates = offer.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) \d+ typ host/gim);
  return [...new Set(Array.from(candidates, ([, address = '']) => address))];
}

describe('the addresses of a transport', () => {
  it('are that of the machine itself where there is no network, so that an SFU on it can be reached', async () => {
    const { lo } = os.networkInterfaces();
    vi.spyOn(os, 'networkInterfaces').mockReturnValue(lo === undefined ? {} : { lo });
    // Named imports of a built-in are copies, brought up to date by this.
    syncBuiltinESMExports();
    expect(await offeredAddresses()).toEqual(['127.0.0.1']);
  });

  it('are those that were asked for, and no other', async () => {
    expect(await offeredAddresses({ bindAddresses: ['127.0.0.2'] })).toEqual(['127.0.0.2']);
  });
});
