import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../../src/core/errors.js';
import { silentLogger } from '../../../src/core/logger.js';
import { writeCompound, writeReceiverReport } from '../../../src/rtp/rtcp-write.js';
import type { TransportObserver } from '../../../src/transport/media-transport.js';
import { loadDatachannelLibrary } from '../../../src/transport/node-datachannel/datachannel-library.js';
import { createNodeDatachannelTransportFactory } from '../../../src/transport/node-datachannel/node-datachannel-transport-factory.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { answerOf } from '../answer-of.js';
import { type FakeConnection, FakeLibrary } from './fake-library.js';

const FRONT = { trackId: 'front', codec: 'vp8', ssrc: 1111 } as const;
const HEADER = { payloadType: 96, sequenceNumber: 1, timestamp: 1, ssrc: 1111, marker: true, extensions: [] };
const REPORT = Buffer.from(writeCompound([writeReceiverReport(1111, [])]));

function start(
  prepare: (connection: FakeConnection) => void = () => undefined,
  observer: Partial<TransportObserver> = {},
) {
  const clock = new VirtualClock();
  const library = new FakeLibrary(prepare);
  const states: string[] = [];
  const rtcp: Buffer[] = [];
  const late: string[] = [];
  const transport = createNodeDatachannelTransportFactory({
    clock,
    library,
    logger: silentLogger,
    machineAddresses: () => ['192.0.2.2'],
  })({
    stateChanged: (state, reason) => void states.push(reason === undefined ? state : `${state}: ${reason}`),
    rtcp: (compound) => void rtcp.push(Buffer.from(compound)),
    lateCompletion: (kind) => void late.push(kind),
    ...observer,
  });
  const native = (): FakeConnection => {
    const [connection] = library.connections;
    if (connection === undefined) throw new Error('there is no connection yet');
    return connection;
  };
  return { transport, clock, native, states, rtcp, late };
}

async function offered(session: ReturnType<typeof start>): Promise<string> {
  const offer = session.transport.createOffer([FRONT]);
  session.native().gathering('complete');
  return offer;
}

async function connect(session = start()): Promise<ReturnType<typeof start>> {
  await session.transport.acceptAnswer(answerOf(await offered(session)));
  session.native().ice('connected');
  session.native().open();
  await session.transport.connected(1000);
  return session;
}

describe('NodeDatachannelTransport', () => {
  it('offers what the library says of its side, and tells it where the peer is, and nothing of the media', async () => {
    const session = start();
    const offer = await offered(session);
    expect(offer).toContain('a=ice-ufrag:lib1');
    expect(offer).toContain('a=candidate:1 1 udp 2114977791 192.0.2.2 4000 typ host');
    expect(offer).toContain('typ srflx raddr 0.0.0.0 rport 0');
    expect(offer).toContain('a=setup:active');
    await session.transport.acceptAnswer(answerOf(offer));
    const { answers, candidates } = session.native();
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatch(
      /a=setup:passive\r\na=ice-ufrag:\S+\r\na=ice-pwd:\S+\r\na=fingerprint:sha-256 ([0-9A-F]{2}:){31}/,
    );
    expect(candidates.length).toBeGreaterThan(0);
  });

  it('calls nothing of the library after it was closed, by whomever and how often, and counts what still comes', async () => {
    const session = await connect();
    const { transport, late, states, rtcp } = session;
    const native = session.native();
    const closing = Promise.all([transport.close(), transport.close()]);
    // Connection and track, each once.
    expect(native.closes).toBe(2);
    expect(transport.sendRtp(HEADER, Buffer.alloc(9))).toBe(false);
    expect(transport.sendRtcp(REPORT)).toBe(false);
    expect(transport.getStats()).not.toHaveProperty('selectedLocalCandidate');
    native.message(REPORT);
    native.ice('failed');
    native.state('failed');
    native.open();
    native.gathering('complete');
    expect(late).toEqual(['rtcp', 'ice state', 'transport state', 'open', 'gathering']);
    expect(rtcp).toEqual([]);
    expect(states.at(-1)).toBe('closed: closed by the application');
    native.closed();
    native.state('closed');
    await closing;
    expect(native.closes).toBe(2);
  });

  it('waits for a close of the library until a limit', async () => {
    const session = await connect();
    let isClosed = false;
    const closing = session.transport.close().then(() => {
      isClosed = true;
    });
    await session.clock.advance(900);
    expect(isClosed).toBe(false);
    await session.clock.advance(200);
    await closing;
  });

  it('takes no packet for sent that the library refused, whether it says so or throws', async () => {
    const { transport, native } = await connect();
    native().send = () => false;
    expect(transport.sendRtp(HEADER, Buffer.alloc(9))).toBe(false);
    native().send = () => {
      throw new Error('Track is closed');
    };
    expect(transport.sendRtp(HEADER, Buffer.alloc(9))).toBe(false);
    expect(transport.getStats()).toMatchObject({ packetsSent: 0, bytesSent: 0, sendErrors: 1 });
    native().send = () => true;
    expect(transport.sendRtp(HEADER, Buffer.alloc(9))).toBe(true);
    expect(transport.getStats()).toMatchObject({ packetsSent: 1, bytesSent: 21 });
  });

  it('says so when the socket cannot be opened', async () => {
    const { transport } = start((connection) => {
      connection.bind = () => {
        throw new Error('Failed to gather local ICE candidates');
      };
    });
    await expect(transport.createOffer([FRONT])).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  });

  it('leaves out servers that do not answer within half of the time', async () => {
    const { transport, clock } = start();
    const offer = transport.createOffer([FRONT]);
    await clock.advance(2400);
    await clock.advance(200);
    expect(await offer).toContain('192.0.2.2 4000 typ host');
  });

  it('offers what it has after a moment where candidates can follow, and tells those that were found later, once', async () => {
    const told: (readonly string[])[] = [];
    const found = 'a=candidate:3 1 UDP 1 198.51.100.9 4002 typ relay raddr 192.0.2.2 rport 4000\r\n';
    const { transport, clock, native } = start(undefined, { candidates: (lines) => void told.push(lines) });
    const offer = transport.createOffer([FRONT]);
    await clock.advance(300);
    expect(await offer).toContain('192.0.2.2 4000 typ host');
    expect(told).toEqual([]);
    native().description += found;
    native().gathering('complete');
    native().gathering('complete');
    await clock.advance(0);
    expect(told).toEqual([['a=candidate:3 1 udp 1 198.51.100.9 4002 typ relay raddr 192.0.2.2 rport 4000']]);
    expect(await transport.createOffer([FRONT])).not.toContain('typ relay');
  });

  it('has failed when consent has expired, when the peer closes, and when ICE or DTLS fail, and tells which', async () => {
    const ends: readonly [(native: FakeConnection) => void, RegExp][] = [
      [
        (native) => {
          native.ice('disconnected');
          native.state('disconnected');
        },
        /^failed/,
      ],
      [(native) => native.state('disconnected'), /^failed: the peer closed DTLS$/],
      [(native) => native.state('failed'), /^failed: the DTLS handshake failed$/],
    ];
    for (const [end, told] of ends) {
      const { native, states } = await connect();
      end(native());
      expect(states.at(-1)).toMatch(told);
    }
  });

  it('asks for another attempt when the library was too early with the right certificate, and for none with a wrong one', async () => {
    for (const [fingerprint, code] of [
      ['right', 'CONNECT_TIMEOUT'],
      ['wrong', 'CONNECT_FAILED'],
    ] as const) {
      const session = start();
      const answer = answerOf(await offered(session));
      await session.transport.acceptAnswer(answer);
      const right = /a=fingerprint:sha-256 (\S+)/.exec(answer)?.[1] ?? '';
      session.native().fingerprint = fingerprint === 'right' ? right : right.replace(/^../, '00');
      session.native().ice('connected');
      session.native().state('failed');
      await expect(session.transport.connected(1000)).rejects.toMatchObject({ code });
    }
  });

  it('cannot restart ICE, and says so', async () => {
    const { transport } = await connect();
    const never = (): Promise<string> => Promise.reject(new Error('nobody asks'));
    await expect(transport.restartIce(never, { timeoutMs: 1000 })).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    expect(transport.state).toBe('connected');
  });

  it('renegotiates without the library, and refuses an answer of another peer', async () => {
    const { transport, native } = await connect();
    const again = answerOf(await transport.createOffer([FRONT, { ...FRONT, trackId: 'rear', ssrc: 2222 }]));
    const other = again.replaceAll(/a=ice-ufrag:\S+/g, 'a=ice-ufrag:other');
    await expect(transport.acceptAnswer(other)).rejects.toMatchObject({ code: 'INVALID_SDP' });
    await expect(transport.acceptAnswer(again)).resolves.toHaveLength(2);
    expect(native().answers).toHaveLength(1);
  });
});

describe('createNodeDatachannelTransportFactory', () => {
  const clock = new VirtualClock();
  const library = new FakeLibrary();

  it.each([
    [{ bindAddress: 'localhost' }, /bindAddress/],
    [{ portRange: [1000, 2000] as const }, /portRange/],
    [{ gatheringTimeoutMs: 5 }, /gatheringTimeoutMs/],
    [{ iceServers: [{ urls: 'turns:192.0.2.1' }] }, /iceServers/],
    [{ iceServers: [{ urls: 'turn:192.0.2.1?transport=tcp', username: 'a', credential: 'b' }] }, /iceServers/],
    [{ iceServers: [{ urls: 'turn:192.0.2.1' }] }, /username/],
  ])('refuses %j', (options, message) => {
    const make = () => createNodeDatachannelTransportFactory({ clock, library, ...options });
    expect(make).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
    );
  });

  it('hands the library the servers that it can use, those that the SFU named behind its own', async () => {
    const used = new FakeLibrary();
    const given = [{ urls: ['stun:[2001:db8::1]:3479'] }];
    const named = [{ urls: ['turn:turn.example', 'turns:turn.example'], username: 'a', credential: 'b' }];
    const factory = createNodeDatachannelTransportFactory({ clock, library: used, iceServers: given });
    const usable = [{ ...named[0], urls: 'turn:turn.example' }];
    const transport = factory({ stateChanged: () => undefined, rtcp: () => undefined }, [...named, ...usable]);
    void transport.createOffer([FRONT]).catch(() => undefined);
    expect(used.connections[0]?.configuration.iceServers).toEqual([
      { hostname: '2001:db8::1', port: 3479 },
      { hostname: 'turn.example', port: 3478, username: 'a', password: 'b', relayType: 'TurnUdp' },
    ]);
  });

  it('says how to install the package where it is missing', () => {
    const missing = (): never => {
      throw new Error("Cannot find module 'node-datachannel'");
    };
    expect(() => loadDatachannelLibrary(missing)).toThrow(FramelockError);
    expect(() => loadDatachannelLibrary(missing)).toThrow(/npm install node-datachannel/);
  });
});
