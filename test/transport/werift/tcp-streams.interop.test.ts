import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpActiveProtocol } from 'werift';
import { LateCompletions } from '../../../src/concurrency/late-completions.js';
import { Lifetime } from '../../../src/concurrency/lifetime.js';
import { TcpStreams } from '../../../src/transport/werift/tcp-streams.js';
import { eventually } from '../wrtc-peer.js';

const DATAGRAM = Buffer.alloc(1200, 7);
/** More than the sockets of a loopback connection hold. */
const MANY = 20_000;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Streams that have dialled a peer, and the peer's end. */
async function dialled() {
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const lifetime = new Lifetime('the agent', new LateCompletions());
  const protocol = new TcpActiveProtocol();
  const received: Buffer[] = [];
  const errors: Error[] = [];
  const streams = new TcpStreams(protocol, lifetime, {
    received: (datagram) => void received.push(datagram),
    failed: (error) => void errors.push(error),
  });
  await protocol.connectionMade('127.0.0.1');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  await protocol.sendData(Buffer.from('hello'), ['127.0.0.1', port]);
  const [peer] = await accepted;
  cleanUps.push(
    () => server.close(),
    () => peer.destroy(),
    () => protocol.close(),
  );
  return { streams, protocol, lifetime, peer, port, received, errors };
}

describe('datagrams over TCP', () => {
  it('are each framed by their length', async () => {
    const { streams, peer, port } = await dialled();
    const bytes: Buffer[] = [];
    peer.on('data', (data: Buffer) => bytes.push(data));
    expect(streams.sendNow(Buffer.from('one'), '127.0.0.1', port)).toBe(true);
    await eventually(() => Buffer.concat(bytes).toString('latin1') === '\0\x05hello\0\x03one', 'both frames');
  });

  it('come in whole, however the network has cut them, and go to whoever judges them', async () => {
    const { peer, received } = await dialled();
    const frames = Buffer.from('\0\x03one\0\0\0\x05three', 'latin1');
    for (const byte of frames) {
      peer.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => received.length === 2, 'two datagrams');
    expect(received.map(String)).toEqual(['one', 'three']);
  });

  it('are dropped, and counted, where the peer does not read, rather than kept', async () => {
    const { streams, peer, port, errors } = await dialled();
    peer.pause();
    let refused = 0;
    for (let sent = 0; sent < MANY; sent += 1) {
      if (!streams.sendNow(DATAGRAM, '127.0.0.1', port)) refused += 1;
      if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(refused).toBe(0);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors[0]?.message).toMatch(/does not keep up/);
  });

  it('have nowhere to go without a connection', async () => {
    const { streams, port } = await dialled();
    expect(streams.sendNow(DATAGRAM, '127.0.0.1', port + 1)).toBe(false);
  });

  it('dial nobody after the end', async () => {
    const { protocol, lifetime, port } = await dialled();
    lifetime.end();
    await expect(protocol.sendData(DATAGRAM, ['127.0.0.2', port])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
