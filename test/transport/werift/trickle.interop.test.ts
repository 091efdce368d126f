import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.js';
import { LoopbackSfu } from '../../../src/loopback/loopback-sfu.js';
import { WhipSignaller } from '../../../src/signalling/whip/whip-signaller.js';
import { createWeriftTransportFactory } from '../../../src/transport/werift/werift-transport-factory.js';
import { openUdp } from '../../support/network/udp.js';
import { eventually } from '../wrtc-peer.js';

const TRACK = { trackId: 'front', codec: 'vp8', ssrc: 1 } as const;
const BINDING_RESPONSE = 0x0101;
/** XOR-MAPPED-ADDRESS (RFC 8489 section 14.2): some address that is not ours. */
const ATTRIBUTES = Buffer.from('00200008000130390a0b0c0d', 'hex');
const closings: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

/** A STUN server that answers when it is told to. */
async function slowServer() {
  const held: (() => void)[] = [];
  const socket = await openUdp({ address: '127.0.0.1', port: 0 }, (request, { port, address }) => {
    const header = Buffer.from(request.subarray(0, 20));
    header.writeUInt16BE(BINDING_RESPONSE, 0);
    header.writeUInt16BE(ATTRIBUTES.length, 2);
    held.push(() => socket.send(Buffer.concat([header, ATTRIBUTES]), port, address));
  });
  closings.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  const answer = () => {
    for (const send of held.splice(0)) send();
  };
  return { urls: `stun:127.0.0.1:${socket.address().port}`, held, answer };
}

function transportWith(urls: string, candidates?: (lines: readonly string[]) => void) {
  const factory = createWeriftTransportFactory({
    clock: new SystemClock(),
    bindAddresses: ['127.0.0.1'],
    // Only the test lets the server answer: nothing ends by itself before that.
    gatheringTimeoutMs: 60_000,
    iceServers: [{ urls }],
  });
  const observer = { stateChanged: () => undefined, rtcp: () => undefined };
  const transport = factory(candidates === undefined ? observer : { ...observer, candidates });
  closings.push(() => transport.close());
  return transport;
}

describe('an offer with a slow STUN server', () => {
  it('waits for it where candidates cannot follow', async () => {
    const server = await slowServer();
    const offering = transportWith(server.urls).createOffer([TRACK]);
    await eventually(() => server.held.length > 0, 'the question');
    server.answer();
    expect(await offering).toContain('typ srflx');
  });

  it('goes out with what there is where they can, and they follow once', async () => {
    const server = await slowServer();
    const told: (readonly string[])[] = [];
    const offer = await transportWith(server.urls, (lines) => void told.push(lines)).createOffer([TRACK]);
    expect(offer).toContain('typ host');
    expect(offer).not.toContain('typ srflx');
    expect(told).toEqual([]);
    server.answer();
    await eventually(() => told.length > 0, 'the candidate');
    expect(told).toEqual([[expect.stringMatching(/^a=candidate:\S+ 1 udp \d+ \S+ \d+ typ srflx raddr /)]]);
  });

  it('connects while the server is still silent, and the SFU takes what follows', async () => {
    const sfu = new LoopbackSfu({ port: 0 });
    closings.push(() => sfu.close());
    const { url } = await sfu.start();
    const signaller = new WhipSignaller({ url: `${url}/whip/demo` });
    closings.push(() => signaller.close());
    const server = await slowServer();
    const told: (readonly string[])[] = [];
    const transport = transportWith(server.urls, (lines) => void told.push(lines));
    const startedMs = performance.now();
    await transport.acceptAnswer((await signaller.offer(await transport.createOffer([TRACK]))).sdp);
    await transport.connected(5000);
    console.info(
      `connected in ${Math.round(performance.now() - startedMs)} ms, with a STUN server that has not answered`,
    );
    server.answer();
    await eventually(() => told.length > 0, 'the candidate');
    expect(await signaller.trickle(told[0] ?? [], new AbortController().signal)).toBe(true);
    expect(transport.state).toBe('connected');
  });
});
