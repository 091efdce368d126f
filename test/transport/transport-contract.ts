import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { writeCompound, writeReceiverReport } from '../../src/rtp/rtcp-write.js';
import type { MediaTransportFactory, TransportTrackSpec } from '../../src/transport/media-transport.js';
import { RawPeer } from './raw-peer.js';
import {
  eventually,
  LateSystemClock,
  type ObservedTransport,
  observeTransport,
  PacketPump,
  type TransportUnderTest,
  UdpPath,
  WrtcPeer,
} from './wrtc-peer.js';

/** An adapter, and what it leaves open by its nature. */
export interface TransportFixture {
  readonly factoryOf: (given: TransportUnderTest) => MediaTransportFactory;
  /** Whether datagrams that are dropped before DTLS sees them are counted. */
  readonly countsRejections: boolean;
  /** Whether a peer can rely on its DTLS alert when it closes. */
  readonly tellsThatItCloses: boolean;
}

const FRONT = { trackId: 'front', codec: 'vp8', ssrc: 1111 } as const;
const REAR = { trackId: 'rear', codec: 'vp8', ssrc: 2222 } as const;
const LEFT = { trackId: 'left', codec: 'vp8', ssrc: 3333 } as const;
const MIC = { trackId: 'mic', codec: 'opus', ssrc: 4444 } as const;
const SSRCS: Readonly<Record<string, number>> = { front: 1111, rear: 2222, left: 3333, mic: 4444 };

/** What every transport has to do, whatever it is made of. */
export function itKeepsTheTransportContract(name: string, fixture: TransportFixture): void {
  const cleanUps: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  function create(options: Partial<TransportUnderTest> = {}): ObservedTransport {
    const observed = observeTransport(fixture.factoryOf, options);
    cleanUps.push(() => observed.transport.close());
    return observed;
  }

  function start(options: Partial<TransportUnderTest> = {}): ObservedTransport & { peer: WrtcPeer } {
    const observed = create(options);
    const peer = new WrtcPeer();
    cleanUps.push(() => peer.close());
    return { ...observed, peer };
  }

  async function connect(tracks = [FRONT, REAR] as Parameters<typeof negotiate>[1]) {
    const session = start();
    await negotiate(session, tracks);
    await session.transport.connected(10_000);
    return session;
  }

  async function negotiate({ transport, peer }: ReturnType<typeof start>, tracks: readonly TransportTrackSpec[]) {
    const answer = await peer.answer(await transport.createOffer(tracks));
    const negotiated = await transport.acceptAnswer(answer);
    return negotiated.map((track) => ({ ...track, ssrc: SSRCS[track.trackId] ?? 0 }));
  }

  function pump(session: ReturnType<typeof start>, tracks: Awaited<ReturnType<typeof negotiate>>): void {
    const packets = new PacketPump(session.transport, tracks);
    cleanUps.push(() => packets.stop());
  }

  async function receivesMore(peer: WrtcPeer, ssrc: number, packets = 20): Promise<void> {
    const before = (await peer.received()).get(ssrc) ?? 0;
    await eventually(async () => ((await peer.received()).get(ssrc) ?? 0) >= before + packets, `packets of ${ssrc}`);
  }

  describe(`${name} with libwebrtc`, () => {
    it('delivers video and audio over one transport, and audio alone', async () => {
      const session = start();
      const tracks = await negotiate(session, [FRONT, MIC]);
      expect(tracks).toMatchObject([
        { trackId: 'front', mid: '0', nack: true },
        { trackId: 'mic', mid: '1', payloadType: 111, nack: false, pli: false, fir: false, extensions: { mid: 1 } },
      ]);
      await session.transport.connected(10_000);
      pump(session, tracks);
      await receivesMore(session.peer, MIC.ssrc);
      await receivesMore(session.peer, FRONT.ssrc);
      const [alone] = await negotiate(await connect([MIC]), [MIC]);
      expect(alone).toMatchObject({ trackId: 'mic', mid: '0' });
    });

    it('connects two tracks, delivers their RTP and hears the peer’s RTCP', async () => {
      const session = start();
      const tracks = await negotiate(session, [FRONT, REAR]);
      expect(tracks).toMatchObject([
        { trackId: 'front', mid: '0', nack: true, pli: true, fir: true, extensions: { mid: 1, absSendTime: 2 } },
        { trackId: 'rear', mid: '1' },
      ]);
      expect(
        session.transport.sendRtp(
          { payloadType: 96, sequenceNumber: 1, timestamp: 1, ssrc: 1111, marker: true, extensions: [] },
          Buffer.alloc(9),
        ),
      ).toBe(false);
      await session.transport.connected(10_000);
      pump(session, tracks);
      await receivesMore(session.peer, FRONT.ssrc, 60);
      await receivesMore(session.peer, REAR.ssrc);
      await eventually(() => session.rtcp.length > 0, 'RTCP');
      // A receiver report (RFC 3550 section 6.4.2) with one block, for one of our streams.
      const [report] = session.rtcp;
      expect(report?.subarray(0, 2).toString('hex')).toBe('81c9');
      expect([FRONT.ssrc, REAR.ssrc]).toContain(report?.readUInt32BE(8));
      expect(session.states).toEqual(['connecting', 'connected']);
      expect(session.transport.getStats()).toMatchObject({
        iceState: 'connected',
        dtlsState: 'connected',
        sendErrors: 0,
      });
      expect(session.transport.sendRtcp(writeCompound([writeReceiverReport(1111, [])]))).toBe(true);
    });

    it('goes on while strangers send alerts, handshakes, media and STUN to its ports', async () => {
      const session = start();
      const offer = await session.transport.createOffer([FRONT]);
      const tracks = await session.transport.acceptAnswer(await session.peer.answer(offer));
      await session.transport.connected(10_000);
      pump(
        session,
        tracks.map((track) => ({ ...track, ssrc: FRONT.ssrc })),
      );
      await receivesMore(session.peer, FRONT.ssrc);

      const attacker = createSocket('udp4');
      cleanUps.push(() => void attacker.close());
      const [, address = '', port = ''] = /udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/.exec(offer) ?? [];
      const hostile = [
        '15fefd000000000000000000020100', // close_notify, plaintext
        '15fefd000000000000000000020228', // fatal handshake_failure, plaintext
        '15fefd000100000000000000020100', // the same as if encrypted
        '18fefd000100000000000000020100', // an unknown content type
        '16fefd000000000000000000190e00000d00000000000000000d000000000000000000000000000000', // a handshake
        '8060000100000001000004570102030405060708090a0b0c0d0e0f10', // media
        '81c90007000000010000045700000000000000170000039000000000000000000102030480000001', // a report
        '000100002112a442000102030405060708090a0b', // a Binding request without a signature
        '00010008',
        'ffffffff',
        '',
      ].map((hex) => Buffer.from(hex, 'hex'));
      for (let round = 0; round < 20; round += 1) {
        for (const datagram of hostile) attacker.send(datagram, Number(port), address);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (fixture.countsRejections) {
        await eventually(() => session.transport.getStats().datagramsRejected >= 200, 'rejections');
      }
      await receivesMore(session.peer, FRONT.ssrc);
      expect(session.states).toEqual(['connecting', 'connected']);
    });

    it('refuses wrong answers, changes nothing, and connects with the right one', async () => {
      const session = start();
      const offer = await session.transport.createOffer([FRONT, REAR]);
      const answer = await session.peer.answer(offer);
      const refused = expect.objectContaining({ code: 'INVALID_SDP' });
      for (const wrong of ['v=0', offer, answer.replace(/m=video \d+/, 'm=video 0'), answer.replaceAll('VP8', 'AV1')]) {
        await expect(session.transport.acceptAnswer(wrong)).rejects.toEqual(refused);
        expect(session.transport.state).toBe('new');
      }
      await session.transport.acceptAnswer(answer);
      await expect(session.transport.acceptAnswer(answer)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await session.transport.connected(10_000);
    });

    it('refuses a peer whose certificate is not the one of its answer', async () => {
      const session = start();
      const answer = await session.peer.answer(await session.transport.createOffer([FRONT]));
      const other = Array.from({ length: 32 }, () => 'AA').join(':');
      await session.transport.acceptAnswer(answer.replace(/sha-256 \S+/, `sha-256 ${other}`));
      await expect(session.transport.connected(10_000)).rejects.toMatchObject({
        code: 'CONNECT_FAILED',
        message: expect.stringContaining('certificate'),
      });
      expect(session.transport.state).toBe('failed');
    });

    it('adds, removes and brings back tracks by renegotiation', async () => {
      const session = await connect([FRONT]);
      pump(session, await negotiate(session, [FRONT, REAR, LEFT]));
      await receivesMore(session.peer, LEFT.ssrc);
      const fewer = await negotiate(session, [FRONT, LEFT]);
      expect(fewer.map(({ mid, trackId }) => `${mid} ${trackId}`)).toEqual(['0 front', '2 left']);
      const again = await negotiate(session, [REAR, LEFT, FRONT]);
      expect(again.map(({ mid, trackId }) => `${mid} ${trackId}`)).toEqual(['0 front', '1 rear', '2 left']);
      await receivesMore(session.peer, FRONT.ssrc);
      expect(session.states).toEqual(['connecting', 'connected']);
    });

    it('sees at once that the peer closed', async () => {
      const session = await connect();
      session.peer.close();
      await eventually(() => session.transport.state === 'failed', 'the end', 2000);
      await expect(session.transport.connected(1000)).rejects.toMatchObject({
        code: 'CONNECT_FAILED',
        message: expect.stringContaining('the peer closed'),
      });
    });

    if (fixture.tellsThatItCloses) {
      it('tells the peer at once that it closes', async () => {
        const session = await connect();
        await session.transport.close();
        const dtls = session.peer.connection.getReceivers()[0]?.transport;
        await eventually(() => dtls?.state === 'closed', 'the peer’s DTLS to close', 2000);
      });
    }
  });

  describe(`${name} over a bad path`, () => {
    /** A connection whose only path is one that we can cut: the peer learns of us by our checks alone. */
    async function startOverPath(nearAddress = '127.0.0.1') {
      const observed = create({ bindAddress: nearAddress });
      const peer = new WrtcPeer();
      const offer = await observed.transport.createOffer([FRONT]);
      const answer = await peer.answer(offer.replaceAll(/a=candidate:.*\r\n/g, ''));
      const target = /udp \d+ 127\.0\.0\.1 (\d+) typ host/.exec(answer)?.[1];
      const path = new UdpPath({ address: '127.0.0.1', port: Number(target) }, nearAddress);
      const port = await path.open();
      cleanUps.push(
        () => path.close(),
        () => peer.close(),
      );
      const candidate = `a=candidate:1 1 udp 1 ${nearAddress} ${port} typ host\r\na=ice-ufrag`;
      const overPath = answer.replaceAll(/a=candidate:.*\r\n/g, '').replace('a=ice-ufrag', candidate);
      return { ...observed, peer, path, overPath };
    }

    it('carries media over IPv6', async () => {
      const { transport, peer, overPath } = await startOverPath('::1');
      const tracks = await transport.acceptAnswer(overPath);
      await transport.connected(5000);
      expect(transport.getStats().selectedRemoteCandidate).toMatch(/^host udp \[::1\]:/);
      const packets = new PacketPump(
        transport,
        tracks.map((track) => ({ ...track, ssrc: FRONT.ssrc })),
      );
      cleanUps.push(() => packets.stop());
      await receivesMore(peer, FRONT.ssrc);
    });

    it('connects to a peer that hides its addresses behind names, by the checks of the peer', async () => {
      const { transport, peer, logged } = start();
      const answer = await peer.answer(await transport.createOffer([FRONT]));
      const name = '6c4b7e2e-27b4-4d0c-8f0b-2a3c7a0c9a11.local';
      await transport.acceptAnswer(answer.replaceAll(/(a=candidate:\S+ 1 udp \d+) \S+/g, `$1 ${name}`));
      await transport.connected(5000);
      expect(logged).toContainEqual(expect.stringMatching(/names.*ignored/));
    });

    it('connects although the first checks are lost', async () => {
      const { transport, path, overPath } = await startOverPath();
      path.cut = true;
      await transport.acceptAnswer(overPath);
      // Longer than werift goes on with a pair.
      await expect(transport.connected(2500)).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
      path.cut = false;
      await transport.connected(5000);
    });

    it('is disconnected while the peer is silent, sends nothing meanwhile, and recovers', async () => {
      const { transport, peer, states, rtcp, path, overPath } = await startOverPath();
      const [track] = await transport.acceptAnswer(overPath);
      if (track === undefined) throw new Error('the peer takes no track');
      await transport.connected(5000);
      const packets = new PacketPump(transport, [{ ...track, ssrc: FRONT.ssrc }]);
      cleanUps.push(() => packets.stop());
      await receivesMore(peer, FRONT.ssrc);
      await eventually(() => rtcp.length > 4, 'reports');
      path.cut = true;
      await eventually(() => transport.state === 'disconnected', 'silence to be noticed', 10_000);
      expect(transport.sendRtcp(writeCompound([writeReceiverReport(1111, [])]))).toBe(false);
      path.cut = false;
      await eventually(() => transport.state === 'connected', 'the peer to be heard again');
      await receivesMore(peer, FRONT.ssrc);
      expect(states).toEqual(['connecting', 'connected', 'disconnected', 'connected']);
    });
  });

  describe(`${name} on the wire`, () => {
    it('sends RTP and RTCP as they were handed to it, and hands on RTCP as it came', async () => {
      const { transport, rtcp } = create({ bindAddress: '127.0.0.1' });
      const peer = await RawPeer.open();
      cleanUps.push(() => peer.close());
      await transport.acceptAnswer(peer.answer(await transport.createOffer([FRONT, MIC])));
      await transport.connected(5000);
      const header = { payloadType: 96, timestamp: 0xffff_fff0, ssrc: FRONT.ssrc, marker: true };
      const mid = { id: 1, data: Buffer.from('0') };
      const sent = [
        { ...header, sequenceNumber: 65_535, extensions: [], payload: Buffer.from([1]) },
        // Wraps; of another source, such as retransmissions; two extensions and their padding; the largest that a path takes.
        { ...header, sequenceNumber: 0, extensions: [mid], payload: Buffer.alloc(1200, 7) },
        { ...header, sequenceNumber: 7, ssrc: 0xffff_fffe, payloadType: 97, extensions: [], payload: Buffer.alloc(9) },
        {
          ...header,
          sequenceNumber: 1,
          marker: false,
          extensions: [mid, { id: 2, data: Buffer.from([9, 8, 7]) }],
          payload: Buffer.alloc(1168, 5),
        },
        {
          ...header,
          sequenceNumber: 9,
          payloadType: 111,
          ssrc: MIC.ssrc,
          extensions: [],
          payload: Buffer.from([0xf8]),
        },
      ];
      for (const { payload, ...fields } of sent) expect(transport.sendRtp(fields, payload)).toBe(true);
      const compound = writeCompound([writeReceiverReport(FRONT.ssrc, []), writeReceiverReport(MIC.ssrc, [])]);
      expect(transport.sendRtcp(compound)).toBe(true);
      await eventually(() => peer.rtp.length === sent.length && peer.rtcp.length > 0, 'what was sent');
      expect(peer.rtp).toEqual(
        sent.map((packet) => ({
          ...packet,
          extensions: packet.extensions.map(({ id, data }) => ({ id, payload: data })),
        })),
      );
      expect(peer.rtcp).toMatchObject([{ kind: 'receiver-report' }, { kind: 'receiver-report' }]);
      const odd = Buffer.from(
        '80cf000201020304deadbeef81c9000700000001fffffffe000000170000039000000000000000000102030480000001',
        'hex',
      );
      peer.sendRtcp(odd);
      await eventually(() => rtcp.length > 0, 'RTCP');
      expect(rtcp).toEqual([odd]);
    });

    it('refuses what is no packet', async () => {
      const { transport } = create();
      const header = { payloadType: 96, sequenceNumber: 1, timestamp: 1, ssrc: 1111, marker: true };
      const extensions = [{ id: 15, data: Buffer.alloc(1) }];
      const session = await connect([FRONT]);
      const refused = expect.objectContaining({ code: 'INVALID_PACKET' });
      expect(() => session.transport.sendRtp({ ...header, extensions }, Buffer.alloc(9))).toThrow(refused);
      expect(() => session.transport.sendRtcp(Buffer.alloc(7))).toThrow(refused);
      expect(transport.sendRtp({ ...header, extensions: [] }, Buffer.alloc(9))).toBe(false);
    });
  });

  describe(`${name} alone`, () => {
    it('gives up connecting when nobody answers', async () => {
      const { transport, peer } = start();
      const answer = await peer.answer(await transport.createOffer([FRONT]));
      peer.close();
      await transport.acceptAnswer(answer);
      await expect(transport.connected(300)).rejects.toMatchObject({
        code: 'CONNECT_TIMEOUT',
        message: expect.stringContaining('ICE is checking'),
      });
    });

    it('says so when no address can be used, instead of ending the process', async () => {
      const { transport } = create({ bindAddress: '203.0.113.77' });
      await expect(transport.createOffer([FRONT])).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    });

    it('stops gathering when it is aborted', async () => {
      const { transport } = create();
      await expect(transport.createOffer([FRONT], AbortSignal.abort())).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(transport.createOffer([FRONT])).resolves.toContain('m=video');
    });

    it('closes during gathering, during connecting and twice', async () => {
      const gathering = create();
      const offer = expect(gathering.transport.createOffer([FRONT])).rejects.toMatchObject({ code: 'CLOSED' });
      await Promise.all([gathering.transport.close(), gathering.transport.close(), offer]);

      const { transport, states, peer } = start();
      await transport.acceptAnswer(await peer.answer(await transport.createOffer([FRONT])));
      const connecting = expect(transport.connected(10_000)).rejects.toMatchObject({ code: 'CLOSED' });
      await transport.close();
      await connecting;
      expect(states).toEqual(['connecting', 'closed']);
      await expect(transport.createOffer([FRONT])).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(transport.acceptAnswer('')).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(transport.connected(1)).rejects.toMatchObject({ code: 'CLOSED' });
      const never = (): Promise<string> => Promise.reject(new Error('there is nobody to ask'));
      await expect(transport.restartIce(never, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'CLOSED' });
    });

    it('sends nothing and reports nothing once it is closed', async () => {
      const session = await connect([FRONT]);
      const sent = session.transport.getStats().packetsSent;
      const closed = session.transport.close();
      expect(session.transport.state).toBe('closed');
      expect(session.transport.sendRtcp(writeCompound([writeReceiverReport(1111, [])]))).toBe(false);
      await closed;
      const heard = [session.states.length, session.rtcp.length];
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect([session.states.length, session.rtcp.length]).toEqual(heard);
      // close_notify, and nothing else
      expect(session.transport.getStats().packetsSent - sent).toBeLessThanOrEqual(1);
    });

    it('is not revived by timers that ring in spite of being cancelled, and counts them', async () => {
      const session = start({ clock: new LateSystemClock() });
      await negotiate(session, [FRONT]);
      await session.transport.connected(10_000);
      await session.transport.close();
      await eventually(() => session.late.includes('timer'), 'a late timer');
      expect(session.states.at(-1)).toBe('closed');
    });

    it('offers the address that it was given and no other', async () => {
      const { transport } = create({ bindAddress: '127.0.0.1' });
      const offer = await transport.createOffer([FRONT]);
      const addresses = [...offer.matchAll(/a=candidate:\S+ 1 udp \d+ (\S+)/g)].map(([, address]) => address);
      expect(addresses).toEqual(['127.0.0.1']);
    });
  });
}
