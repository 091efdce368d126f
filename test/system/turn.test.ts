import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import {
  createWeriftTransportFactory,
  type WeriftTransportOptions,
} from '../../src/transport/werift/werift-transport-factory.js';
import { Program } from '../support/program.js';
import { TURN_USER, TurnServer } from '../support/turn-server.js';
import { eventually } from '../transport/wrtc-peer.js';

let turn: TurnServer;
let sfu: LoopbackSfu;
let url: string;
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  turn = await TurnServer.start();
  sfu = new LoopbackSfu({ port: 0 });
  ({ url } = await sfu.start());
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

afterAll(async () => {
  await sfu.close();
  await turn.close();
});

/** Publishes a packet every 10 ms, and sees how many of them arrive. */
async function publish(options: Omit<WeriftTransportOptions, 'clock'>) {
  const transport = createWeriftTransportFactory({ clock: new SystemClock(), ...options })({
    stateChanged: () => undefined,
    rtcp: () => undefined,
  });
  const signaller = new WhipSignaller({ url: `${url}/whip/demo` });
  cleanUps.push(
    () => transport.close(),
    () => signaller.close(),
  );
  const offer = await transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 1234 }]);
  const [track] = await transport.acceptAnswer((await signaller.offer(offer)).sdp);
  await transport.connected(8000);
  let sequenceNumber = 0;
  const timer = setInterval(() => {
    sequenceNumber += 1;
    const header = {
      payloadType: track?.payloadType ?? 0,
      sequenceNumber,
      timestamp: sequenceNumber * 900,
      ssrc: 1234,
    };
    transport.sendRtp({ ...header, marker: true, extensions: [] }, Buffer.alloc(900));
  }, 10);
  cleanUps.push(() => clearInterval(timer));
  const received = () => sfu.rooms()[0]?.tracks[0]?.packetsReceived ?? 0;
  const arrives = async (): Promise<void> => {
    const before = received();
    await eventually(() => received() > before + 50, 'packets');
  };
  await arrives();
  return { transport, signaller, offer, arrives };
}

const relay = (path: string) => ({
  iceTransportPolicy: 'relay' as const,
  iceServers: [{ urls: path, ...TURN_USER }],
});

describe('a connection by a TURN server', () => {
  it.each(['udp', 'tcp'])('over %s carries media, and tells nobody our addresses', async (transport) => {
    const session = await publish(relay(`turn:127.0.0.1:${turn.port}?transport=${transport}`));
    expect(session.transport.getStats().selectedLocalCandidate).toMatch(/^relay/);
    expect(session.offer).not.toContain('typ host');
    expect(sfu.rooms()[0]?.tracks[0]?.packetsLost).toBe(0);
  });

  it('restarts ICE with another allocation', async () => {
    const { transport, signaller, arrives } = await publish(relay(`turn:127.0.0.1:${turn.port}`));
    const before = transport.getStats().selectedLocalCandidate;
    await transport.restartIce((fragment, signal) => signaller.restartIce(fragment, signal), { timeoutMs: 5000 });
    expect(transport.getStats().selectedLocalCandidate).toMatch(/^relay/);
    expect(transport.getStats().selectedLocalCandidate).not.toBe(before);
    await arrives();
  });

  it('is not chosen where there is a direct way', async () => {
    const { iceServers } = relay(`turn:127.0.0.1:${turn.port}`);
    const { transport, offer } = await publish({ iceServers, bindAddresses: ['127.0.0.1'] });
    expect(offer).toContain('typ relay');
    expect(transport.getStats().selectedLocalCandidate).toMatch(/^host/);
  });

  it('fails with a password that the server does not know, unless there is a direct way', async () => {
    const server = { urls: `turn:127.0.0.1:${turn.port}`, username: TURN_USER.username, credential: 'wrong' };
    const options = { iceServers: [server], gatheringTimeoutMs: 2000 };
    await expect(publish({ ...options, iceTransportPolicy: 'relay' })).rejects.toMatchObject({
      code: 'CONNECT_TIMEOUT',
    });
    const { transport, offer } = await publish(options);
    expect(offer).not.toContain('typ relay');
    expect(transport.getStats().selectedLocalCandidate).toMatch(/^host/);
  });

  it('is done without where the server does not answer and there is a direct way', async () => {
    const iceServers = [{ urls: 'turn:127.0.0.1:9', ...TURN_USER }];
    const { transport } = await publish({ iceServers, gatheringTimeoutMs: 1000 });
    expect(transport.getStats().selectedLocalCandidate).toMatch(/^host/);
  });

  it('over TLS carries media from the command, if it knows the authority of the certificate', async () => {
    const ice = ['--ice-server', `turns:localhost:${turn.tlsPort}`, '--relay-only'];
    const program = new Program(
      ['publish', '--source', 'test:320x240@15', '--whip', `${url}/whip/tls`, ...ice, '--json'],
      {
        NODE_EXTRA_CA_CERTS: turn.certificate,
        FRAMELOCK_ICE_USER: `${TURN_USER.username}:${TURN_USER.credential}`,
      },
    );
    cleanUps.push(() => program.kill());
    await program.printed(/"state":"connected".*"framesSent":[1-9]/);
    await eventually(
      () => (sfu.rooms().find(({ room }) => room === 'tls')?.tracks[0]?.packetsReceived ?? 0) > 10,
      'packets',
    );
  });
});
