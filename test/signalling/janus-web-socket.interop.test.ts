import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { openWebSocket } from '../../src/signalling/janus/web-socket.js';
import { nothingLeftSince, openResources, type ResourceCounts } from '../support/open-resources.js';

let server: WebSocketServer;
let before: ResourceCounts;

beforeEach(async () => {
  before = openResources();
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
});

afterEach(async () => {
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
  await nothingLeftSince(before);
});

/** Opens a socket, and collects what is heard of it. */
function open(port = (server.address() as AddressInfo).port) {
  const heard: (string | undefined)[] = [];
  const events = { opened: (): void => undefined, closed: (_: string): void => undefined };
  const opened = new Promise<void>((resolve) => {
    events.opened = resolve;
  });
  const closed = new Promise<string>((resolve) => {
    events.closed = resolve;
  });
  const socket = openWebSocket(new URL(`ws://127.0.0.1:${port}/`), {
    ...events,
    received: (text) => void heard.push(text),
    ponged: () => void heard.push('pong'),
  });
  return { socket, opened, closed, heard };
}

async function accepted(): Promise<WebSocket> {
  const [client] = (await once(server, 'connection')) as [WebSocket];
  return client;
}

describe('a WebSocket', () => {
  it('asks for the protocol of Janus, carries text both ways, and says goodbye', async () => {
    const { socket, opened, closed, heard } = open();
    const client = await accepted();
    expect(client.protocol).toBe('janus-protocol');
    await opened;
    socket.send('question');
    const [question] = (await once(client, 'message')) as [Buffer];
    expect(question.toString()).toBe('question');
    client.send('answer');
    client.send(Buffer.from('bytes'));
    const goodbye = once(client, 'close');
    // Processed after the messages before it.
    client.ping();
    await once(client, 'pong');
    socket.close();
    expect((await goodbye)[0]).toBe(1000);
    expect(await closed).toContain('1000');
    expect(heard).toEqual(['answer', undefined]);
  });

  it('tells of the answer to a ping, and pings nobody once it is closed', async () => {
    const { socket, opened, closed, heard } = open();
    socket.ping();
    const client = await accepted();
    await opened;
    socket.ping();
    await once(client, 'ping');
    client.ping();
    await once(client, 'pong');
    expect(heard).toEqual(['pong']);
    socket.terminate();
    await closed;
    socket.ping();
  });

  it('tells why the server closed it, in words fit for a terminal', async () => {
    const { closed } = open();
    (await accepted()).close(1008, 'go\u001b away');
    expect(await closed).toBe('closed the connection (1008, "go away")');
  });

  it('is closed when the server says more than it reads at once', async () => {
    const { closed, heard } = open();
    (await accepted()).send('x'.repeat(300_000));
    expect(await closed).toMatch(/Max payload/);
    expect(heard).toEqual([]);
  });

  it('tells that nobody listens', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await new Promise((resolve) => other.close(resolve));
    expect(await open(port).closed).toBe('refused the connection (ECONNREFUSED)');
  });

  it('tells that a server does not speak WebSocket', async () => {
    const other = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    expect(await open((other.address() as AddressInfo).port).closed).toMatch(/cannot be reached \(.*404/);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  it('can be cut off before it is open, and said anything to in any state', async () => {
    const { socket, closed, heard } = open();
    socket.send('too early');
    socket.terminate();
    await closed;
    socket.send('too late');
    socket.close();
    socket.terminate();
    expect(heard).toEqual([]);
  });
});
