import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, PacketPump, UdpPath, WrtcPeer } from '../wrtc-peer.js';
import { createTransport } from './create-transport.js';

const FRONT = { trackId: 'front', codec: 'vp8', ssrc: 1111 } as const;
/** A UDP port that nothing answers from: discard (RFC 863). */
const DEAF_CANDIDATE = 'a=candidate:9 1 udp 2122260223 127.0.0.1 9 typ host';
/** Longer than the first check, shorter than its first repetition. */
const FIRST_MOMENTS_MS = 30;

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** TCP connections that go through here, and can be cut. */
class TcpRelay {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #targetPort = 0;

  constructor() {
    this.#server = createServer((near) => this.#join(near, dial(this.#targetPort, '127.0.0.1')));
  }

  async open(targetPort: number): Promise<number> {
    this.#targetPort = targetPort;
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      // A cut shows here as well.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}

/** A UDP path that loses what is sent in its first moments. */
async function slowPath(answer: string): Promise<string> {
  const [, port = ''] = / 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/.exec(answer) ?? [];
  const path = new UdpPath({ address: '127.0.0.1', port: Number(port) });
  cleanUps.push(() => path.close());
  path.cut = true;
  setTimeout(() => {
    path.cut = false;
  }, FIRST_MOMENTS_MS);
  return `a=candidate:9 1 udp 2122260223 127.0.0.1 ${await path.open()} typ host`;
}

/** A sender and a libwebrtc peer that know one another's TCP candidates, of 127.0.0.1, and by UDP what is named. */
async function start(udp: 'none' | 'deaf' | 'slow') {
  const observed = createTransport({ bindAddresses: ['127.0.0.1'] });
  const peer = new WrtcPeer();
  const relay = new TcpRelay();
  cleanUps.push(
    () => relay.close(),
    () => peer.close(),
    () => observed.transport.close(),
  );
  const { transport } = observed;
  const offer = await transport.createOffer([FRONT]);
  const withoutUdp = (sdp: string) => sdp.replaceAll(/^a=candidate:\S+ 1 udp .*\r\n/gm, '');
  const answer = await peer.answer(withoutUdp(offer));
  const [, port = ''] = / 1 tcp \d+ 127\.0\.0\.1 (\d+) typ host tcptype passive/.exec(answer) ?? [];
  const relayPort = await relay.open(Number(port));
  const relayed = withoutUdp(answer)
    .replaceAll(/^a=candidate:\S+ 1 tcp (?!\d+ 127\.0\.0\.1 ).*\r\n/gm, '')
    .replaceAll(` 127.0.0.1 ${port} typ`, ` 127.0.0.1 ${relayPort} typ`);
  const candidates = { none: '', deaf: `${DEAF_CANDIDATE}\r\n`, slow: `${await slowPath(answer)}\r\n` };
  const tracks = await transport.acceptAnswer(relayed.replace('a=candidate:', `${candidates[udp]}a=candidate:`));
  const pump = new PacketPump(
    transport,
    tracks.map((track) => ({ ...track, ssrc: FRONT.ssrc })),
  );
  cleanUps.push(() => pump.stop());
  return { ...observed, peer, relay, offer };
}

async function receives(peer: WrtcPeer, packets: number): Promise<void> {
  await eventually(async () => ((await peer.received()).get(FRONT.ssrc) ?? 0) >= packets, `${packets} packets`);
}

describe('a peer that is reached over TCP alone', () => {
  it('is offered connections that we dial, and none that we listen for', async () => {
    const { offer } = await start('none');
    expect(offer).toMatch(/^a=candidate:\S+ 1 tcp \d+ 127\.0\.0\.1 9 typ host tcptype active\r$/m);
    expect(offer).not.toMatch(/tcptype passive/);
  });

  it('gets the media, and is heard', async () => {
    const { transport, peer, rtcp } = await start('none');
    await transport.connected(10_000);
    await receives(peer, 100);
    await eventually(() => rtcp.length > 0, 'RTCP');
    expect((await peer.lost()).get(FRONT.ssrc)).toBe(0);
    expect(transport.getStats()).toMatchObject({
      selectedLocalCandidate: 'host tcp 127.0.0.1:9',
      selectedRemoteCandidate: expect.stringMatching(/^host tcp 127\.0\.0\.1:/),
      sendErrors: 0,
    });
  });

  it('is reached although the UDP port that it names is deaf', async () => {
    const { transport, peer } = await start('deaf');
    await transport.connected(10_000);
    await receives(peer, 20);
    expect(transport.getStats().selectedLocalCandidate).toMatch(/tcp/);
  });

  it('is lost at once when the connection is cut', async () => {
    const { transport, peer, relay, states } = await start('none');
    await transport.connected(10_000);
    await receives(peer, 20);
    relay.cut();
    await eventually(() => states.includes('failed'), 'the loss to be noticed', 2000);
  });

  it('has no connection left after the end', async () => {
    const { transport, peer, relay } = await start('none');
    await transport.connected(10_000);
    await receives(peer, 20);
    await transport.close();
    await eventually(() => relay.connections === 0, 'the connection to end');
  });
});

it('is reached by UDP where that works, even if the first check is lost, and nobody is dialled', async () => {
  const { transport, peer, relay } = await start('slow');
  await transport.connected(10_000);
  await receives(peer, 150);
  expect(transport.getStats().selectedLocalCandidate).toMatch(/^host udp/);
  expect(relay.connections).toBe(0);
});
