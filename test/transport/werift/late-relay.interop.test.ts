import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { openResources } from '../../../src/bench/support/open-resources.js';
import { SystemClock } from '../../../src/core/clock.js';
import { createWeriftTransportFactory } from '../../../src/transport/werift/werift-transport-factory.js';
import { nothingLeftSince } from '../../support/open-resources.js';

const ALLOCATE_RESPONSE = 0x0103;

/** XOR-RELAYED-ADDRESS, XOR-MAPPED-ADDRESS and LIFETIME (RFC 8656 sections 7.3 and 18): some address, for ten minutes. */
const ATTRIBUTES = Buffer.from('00160008000130390a0b0c0d00200008000130390a0b0c0d000d000400000258', 'hex');

it('gives back a relay that a TURN server grants after the transport was closed', async () => {
  const server = createSocket('udp4');
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const transport = createWeriftTransportFactory({
    clock: new SystemClock(),
    bindAddresses: ['127.0.0.1'],
    iceServers: [{ urls: `turn:127.0.0.1:${port}`, username: 'user', credential: 'secret' }],
  })({ stateChanged: () => undefined, rtcp: () => undefined });
  try {
    const before = openResources();
    const asked = once(server, 'message');
    const offer = expect(transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 1 }])).rejects.toMatchObject({
      code: 'CLOSED',
    });
    const [request, client] = await asked;
    await transport.close();
    await offer;
    const header = Buffer.from(request.subarray(0, 20));
    header.writeUInt16BE(ALLOCATE_RESPONSE, 0);
    header.writeUInt16BE(ATTRIBUTES.length, 2);
    server.send(Buffer.concat([header, ATTRIBUTES]), client.port, client.address);
    await nothingLeftSince(before);
  } finally {
    server.close();
    await transport.close();
  }
});
