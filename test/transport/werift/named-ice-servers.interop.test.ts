import { afterEach, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.js';
import { createWeriftTransportFactory } from '../../../src/transport/werift/werift-transport-factory.js';
import { openUdp } from '../../support/network/udp.js';

const STUN_BINDING_REQUEST = 0x0001;
const OBSERVER = { stateChanged: () => undefined, rtcp: () => undefined };
const closings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

/** A STUN server that never answers. Returns its URL and the types of what it was asked. */
async function silentServer(): Promise<{ readonly url: string; readonly asked: number[] }> {
  const asked: number[] = [];
  const socket = await openUdp({ address: '127.0.0.1', port: 0 }, (datagram) => asked.push(datagram.readUInt16BE(0)));
  closings.push(() => new Promise((resolve) => socket.close(() => resolve())));
  return { url: `stun:127.0.0.1:${socket.address().port}`, asked };
}

it('asks the STUN server that the SFU has named, and passes over servers that cannot be used', async () => {
  const named = await silentServer();
  const factory = createWeriftTransportFactory({
    clock: new SystemClock(),
    bindAddresses: ['127.0.0.1'],
    gatheringTimeoutMs: 400,
  });
  const transport = factory(OBSERVER, [{ urls: 'nonsense' }, { urls: 'turn:192.0.2.1' }, { urls: named.url }]);
  closings.push(() => transport.close());
  expect(await transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 1 }])).toContain('typ host');
  expect(named.asked).toContain(STUN_BINDING_REQUEST);
});

it('asks its own STUN server before one that the SFU has named', async () => {
  const [own, named] = [await silentServer(), await silentServer()];
  const factory = createWeriftTransportFactory({
    clock: new SystemClock(),
    bindAddresses: ['127.0.0.1'],
    gatheringTimeoutMs: 400,
    iceServers: [{ urls: own.url }],
  });
  const transport = factory(OBSERVER, [{ urls: named.url }]);
  closings.push(() => transport.close());
  await transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 1 }]);
  expect([own.asked.length > 0, named.asked.length]).toEqual([true, 0]);
});
