import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { NativePeer } from '../support/native-peer.js';
import { Program } from '../support/program.js';

const closings: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

it('publishes by signalling of its own, and ends its session', async () => {
  const clock = new SystemClock();
  const peer = new NativePeer(() => clock.nowUs());
  const methods: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    methods.push(request.method);
    if (request.method !== 'POST') return void response.end();
    const { sdp } = JSON.parse(await text(request));
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ sdp: await peer.negotiate(sdp) }));
  });
  closings.push(
    () => peer.close(),
    () => server.close(),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const program = new Program([`http://127.0.0.1:${port}/robots/7`], {}, 'examples/own-signaller.ts');
  closings.push(() => program.kill());
  expect(await program.ended).toEqual({ code: 0, signal: null });
  expect(methods).toEqual(['POST', 'DELETE']);
  expect(peer.picturesOf(1).length).toBeGreaterThan(10);
});
