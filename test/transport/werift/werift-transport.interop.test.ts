import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { createWeriftTransportFactory } from '../../../src/transport/werift/werift-transport-factory.js';
import { itKeepsTheTransportContract } from '../transport-contract.js';
import { eventually, LateSystemClock, openUdpSockets, WrtcPeer } from '../wrtc-peer.js';
import { createTransport } from './create-transport.js';

const FRONT = { trackId: 'front', codec: 'vp8', ssrc: 1111 } as const;

itKeepsTheTransportContract('WeriftTransport', {
  factoryOf: ({ bindAddress, ...given }) =>
    createWeriftTransportFactory({ ...given, ...(bindAddress === undefined ? {} : { bindAddresses: [bindAddress] }) }),
  countsRejections: true,
  tellsThatItCloses: true,
});

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function start(options: Parameters<typeof createTransport>[0] = {}) {
  const observed = createTransport(options);
  const peer = new WrtcPeer();
  cleanUps.push(
    () => peer.close(),
    () => observed.transport.close(),
  );
  return { ...observed, peer };
}

describe('WeriftTransport', () => {
  it('tells why it dropped what strangers sent', async () => {
    const { transport, peer } = start();
    const offer = await transport.createOffer([FRONT]);
    await transport.acceptAnswer(await peer.answer(offer));
    await transport.connected(10_000);
    const attacker = createSocket('udp4');
    cleanUps.push(() => void attacker.close());
    const [, address = '', port = ''] = /udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/.exec(offer) ?? [];
    const hostile = [
      '15fefd000000000000000000020100', // close_notify, plaintext
      '000100002112a442000102030405060708090a0b', // a Binding request without a signature
      '00010008',
      'ffffffff',
    ];
    for (const hex of hostile) attacker.send(Buffer.from(hex, 'hex'), Number(port), address);
    await eventually(() => transport.getStats().datagramsRejected >= hostile.length, 'rejections');
    expect(transport.getStats().datagramsRejectedByReason).toMatchObject({
      'foreign-source': 1,
      'unauthenticated-stun': 1,
      'malformed-stun': 1,
      'unknown-protocol': 1,
    });
  });

  it('closes during gathering and during connecting, and leaves no socket', async () => {
    // Handles of earlier tests go away with the next turn of the loop, and so do those that are closed here.
    await eventually(() => openUdpSockets() === 0, 'sockets of earlier tests to go');
    const gathering = createTransport();
    const offer = expect(gathering.transport.createOffer([FRONT])).rejects.toMatchObject({ code: 'CLOSED' });
    await Promise.all([gathering.transport.close(), offer]);
    await eventually(() => openUdpSockets() === 0, 'sockets to go', 500);

    const { transport, peer } = start();
    await transport.acceptAnswer(await peer.answer(await transport.createOffer([FRONT])));
    expect(openUdpSockets()).toBeGreaterThan(0);
    await transport.close();
    await eventually(() => openUdpSockets() === 0, 'sockets to go', 500);
  });

  it('starts no handshake after it was closed', async () => {
    const { transport, peer, states, late } = start({ clock: new LateSystemClock() });
    await transport.acceptAnswer(await peer.answer(await transport.createOffer([FRONT])));
    await eventually(() => transport.getStats().iceState === 'connected', 'the first check');
    await transport.close();
    await eventually(() => late.includes('timer'), 'a late timer');
    expect(states.at(-1)).toBe('closed');
  });

  it('opens one socket for each address that it was given', async () => {
    const { transport } = createTransport({ bindAddresses: ['127.0.0.1'] });
    cleanUps.push(() => transport.close());
    const before = openUdpSockets();
    await transport.createOffer([FRONT]);
    expect(openUdpSockets()).toBe(before + 1);
  });
});
