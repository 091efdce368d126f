import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import type { RestartExchange } from '../../../src/transport/media-transport.js';
import { eventually, openUdpSockets, PacketPump, WrtcPeer } from '../wrtc-peer.js';
import { createTransport } from './create-transport.js';

const FRONT = { trackId: 'front', codec: 'vp8', ssrc: 1111 } as const;
const PATIENCE = { timeoutMs: 10_000 };
const LINGER_MS = 3000;

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A connection that carries packets, and the exchange that brings a restart to its peer. */
async function connect(options: Parameters<typeof createTransport>[0] = {}) {
  const observed = createTransport(options);
  const peer = new WrtcPeer();
  cleanUps.push(
    () => peer.close(),
    () => observed.transport.close(),
  );
  const { transport } = observed;
  const offer = await transport.createOffer([FRONT]);
  const tracks = await transport.acceptAnswer(await peer.answer(offer));
  await transport.connected(10_000);
  const pump = new PacketPump(
    transport,
    tracks.map((track) => ({ ...track, ssrc: FRONT.ssrc })),
  );
  cleanUps.push(() => pump.stop());
  const fragments: string[] = [];
  /** libwebrtc has no WHIP: the fragment becomes an offer that is the old one but for ICE, and its answer a fragment. */
  const exchange: RestartExchange = async (fragment) => {
    fragments.push(fragment);
    const ice = iceLines(fragment);
    const kept = offer.split('\r\n').filter((line) => !isIce(line));
    const at = kept.findIndex((line) => line.startsWith('a=mid'));
    const answer = await peer.answer([...kept.slice(0, at), ...ice, ...kept.slice(at)].join('\r\n'));
    return `${iceLines(answer).join('\r\n')}\r\n`;
  };
  return { ...observed, peer, exchange, fragments, offer };
}

function isIce(line: string): boolean {
  return /^a=(ice-ufrag|ice-pwd|candidate|end-of-candidates)/.test(line);
}

function iceLines(sdp: string): string[] {
  return sdp.split('\r\n').filter(isIce);
}

async function receivesMore(peer: WrtcPeer, packets = 20): Promise<void> {
  const before = (await peer.received()).get(FRONT.ssrc) ?? 0;
  await eventually(async () => ((await peer.received()).get(FRONT.ssrc) ?? 0) >= before + packets, 'packets');
}

describe('an ICE restart with libwebrtc', () => {
  it('moves media to a new pair without a state change, a lost packet or a new handshake, again and again', async () => {
    const { transport, peer, states, exchange, fragments, offer } = await connect();
    await receivesMore(peer);
    const sockets = openUdpSockets();
    for (let round = 0; round < 3; round += 1) {
      const before = transport.getStats().selectedLocalCandidate;
      await transport.restartIce(exchange, PATIENCE);
      expect(transport.getStats().selectedLocalCandidate).not.toBe(before);
      await receivesMore(peer);
    }
    expect(states).toEqual(['connecting', 'connected']);
    expect((await peer.lost()).get(FRONT.ssrc) ?? 0).toBe(0);
    const names = [offer, ...fragments].map((sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)?.[1]);
    expect(new Set(names).size).toBe(4);
    await eventually(() => openUdpSockets() === sockets, 'the old sockets to go', LINGER_MS + 2000);
  });

  it.each([
    ['that the peer refuses', () => Promise.reject(new Error('no')), 'no'],
    ['that the peer answers with garbage', () => Promise.resolve('garbage'), 'sdpfrag'],
    ['that the peer answers with nothing', () => Promise.resolve(''), 'ice-ufrag'],
    ['that the peer does not answer', () => new Promise<string>(() => undefined), 'longer than 300 ms'],
  ] as const)('%s leaves media on the old pair, and no socket', async (_what, refusal, message) => {
    const { transport, peer, states, exchange } = await connect();
    await receivesMore(peer);
    const sockets = openUdpSockets();
    const before = transport.getStats().selectedLocalCandidate;
    await expect(transport.restartIce(refusal, { timeoutMs: 300 })).rejects.toThrow(message);
    expect(transport.getStats().selectedLocalCandidate).toBe(before);
    await receivesMore(peer);
    await eventually(() => openUdpSockets() === sockets, 'the new sockets to go', 1000);
    await transport.restartIce(exchange, PATIENCE);
    await receivesMore(peer);
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('that is answered with the old user name has not happened', async () => {
    const { transport, peer, exchange } = await connect();
    await transport.restartIce(exchange, PATIENCE);
    let last = '';
    await transport.restartIce(async (fragment, signal) => {
      last = await exchange(fragment, signal);
      return last;
    }, PATIENCE);
    await expect(transport.restartIce(async () => last, PATIENCE)).rejects.toMatchObject({ code: 'INVALID_SDP' });
    await receivesMore(peer);
  });

  it('that nobody checks is given up, and may be cancelled; there is one at a time', async () => {
    const { transport, peer } = await connect();
    const nowhere =
      'a=ice-ufrag:aaaa\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n';
    const lost = expect(transport.restartIce(async () => nowhere, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'CONNECT_TIMEOUT',
    });
    await expect(transport.restartIce(async () => nowhere, PATIENCE)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await lost;
    const controller = new AbortController();
    const cancelled = expect(
      transport.restartIce(async () => nowhere, { timeoutMs: 10_000, signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'CLOSED' });
    controller.abort();
    await cancelled;
    await receivesMore(peer);
  });

  it('ends with the transport, in whatever phase, and leaves no socket', async () => {
    await eventually(() => openUdpSockets() === 0, 'sockets of earlier tests to go', LINGER_MS + 2000);
    for (const phase of ['gathering', 'exchange', 'checks'] as const) {
      const { transport, peer, exchange } = await connect();
      let reach = (): void => undefined;
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      const restart = expect(
        transport.restartIce(async (fragment, signal) => {
          reach();
          if (phase === 'exchange') await new Promise(() => undefined);
          return exchange(fragment, signal);
        }, PATIENCE),
      ).rejects.toMatchObject({ code: 'CLOSED' });
      if (phase !== 'gathering') await reached;
      await transport.close();
      await restart;
      peer.close();
      await eventually(() => openUdpSockets() === 0, `sockets to go (${phase})`, 500);
    }
  });

  it('arms the guard of the new pair: old user name and plaintext DTLS are refused there', async () => {
    const { transport, peer, exchange, fragments } = await connect({ bindAddresses: ['127.0.0.1'] });
    await transport.restartIce(exchange, PATIENCE);
    const port = Number(/ 1 udp \d+ \S+ (\d+) typ host/.exec(fragments[0] ?? '')?.[1]);
    const before = transport.getStats().datagramsRejected;
    const attacker = createSocket('udp4');
    cleanUps.push(() => void attacker.close());
    for (const hex of ['15fefd000000000000000000020100', '000100002112a442000102030405060708090a0b']) {
      attacker.send(Buffer.from(hex, 'hex'), port, '127.0.0.1');
    }
    await eventually(() => transport.getStats().datagramsRejected === before + 2, 'rejections');
    await receivesMore(peer);
    expect(transport.state).toBe('connected');
  });
});
