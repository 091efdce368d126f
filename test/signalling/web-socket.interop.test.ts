import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { openResources, type ResourceCounts } from '../../src/bench/support/open-resources.js';
import type { Refusal } from '../../src/signalling/socket/message-socket.js';
import { openWebSocket, type WebSocketOptions } from '../../src/signalling/socket/web-socket.js';
import { nothingLeftSince } from '../support/open-resources.js';

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
function open(port = (server.address() as AddressInfo).port, options: WebSocketOptions = {}) {
  const heard: (string | Uint8Array)[] = [];
  const events = { opened: (): void => undefined, closed: (_: string): void => undefined };
  let refused: Refusal | undefined;
  const opened = new Promise<void>((resolve) => {
    events.opened = resolve;
  });
  const closed = new Promise<string>((resolve) => {
    events.closed = resolve;
  });
  const observer = {
    opened: () => events.opened(),
    received: (message: string | Uint8Array) => void heard.push(message),
    ponged: () => void heard.push('pong'),
    closed: (reason: string, why?: Refusal) => {
      refused = why;
      events.closed(reason);
    },
  };
  const socket = openWebSocket(new URL(`ws://127.0.0.1:${port}/`), observer, options);
  return { socket, opened, closed, heard, refused: () => refused };
}

async function accepted(): Promise<WebSocket> {
  const [client] = (await once(server, 'connection')) as [WebSocket];
  return client;
}

describe('a WebSocket', () => {
  it('asks for the protocol that it is to speak, carries text and bytes both ways, and says goodbye', async () => {
    const { socket, opened, closed, heard } = open(undefined, {
      subprotocol: 'janus-protocol',
      headers: { via: 'us' },
    });
    const [client, request] = (await once(server, 'connection')) as [WebSocket, IncomingMessage];
    expect(client.protocol).toBe('janus-protocol');
    expect(request.headers.via).toBe('us');
    await opened;
    socket.send('question');
    const [question] = (await once(client, 'message')) as [Buffer];
    expect(question.toString()).toBe('question');
    socket.send(Uint8Array.of(1, 2));
    expect(await once(client, 'message')).toEqual([Buffer.of(1, 2), true]);
    client.send('answer');
    client.send(Buffer.from('bytes'));
    const goodbye = once(client, 'close');
    // Processed after the messages before it.
    client.ping();
    await once(client, 'pong');
    socket.close();
    expect((await goodbye)[0]).toBe(1000);
    expect(await closed).toContain('1000');
    expect(heard).toEqual(['answer', Buffer.from('bytes')]);
    expect(socket.isStranded()).toBe(false);
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
    const { closed, refused } = open(port);
    expect(await closed).toBe('refused the connection (ECONNREFUSED)');
    expect(refused()).toBe('nobody listens');
  });

  it('tells that a server does not speak WebSocket', async () => {
    const other = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    expect(await open((other.address() as AddressInfo).port).closed).toMatch(/cannot be reached \(.*404/);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  it.each([
    ['what it said', (response: ServerResponse) => response.end('invalid\u001b token'), 'invalid token'],
    ['no more than a line of it', (response: ServerResponse) => response.end('x'.repeat(100_000)), 'x'.repeat(200)],
    ['nothing if it broke off', (response: ServerResponse) => void response.socket?.destroy(), ''],
  ])('tells with which status a server refused it, and %s', async (_, answer, words) => {
    const other = createServer((_, response) => {
      response.writeHead(401).flushHeaders();
      answer(response);
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { closed, refused } = open((other.address() as AddressInfo).port);
    await closed;
    expect(refused()).toEqual({ status: 401, words });
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  it('can be cut off while a server takes its time to refuse it', async () => {
    const other = createServer((_, response) => response.writeHead(401).flushHeaders()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { socket, closed } = open((other.address() as AddressInfo).port);
    await once(other, 'request');
    socket.terminate();
    await closed;
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
