import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { RoomSnapshot } from '../../src/loopback/room/room-snapshot.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { createWeriftTransportFactory } from '../../src/transport/werift/werift-transport-factory.js';
import { settle } from '../support/virtual-clock.js';
import { EventReader } from './http-client.js';
import { eventually, type Scene, WrtcPublisher, WrtcViewer } from './wrtc-clients.js';

const DARK = 60;
const BRIGHT = 180;

/** Sockets of this process; libwebrtc's own are not among them. */
function openHandles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === 'UDPWrap' || name === 'TCPServerWrap')
    .sort();
}

describe('LoopbackSfu between native libwebrtc peers', () => {
  const peers: { close(): void }[] = [];
  let sfu: LoopbackSfu;
  let url: string;

  beforeEach(async () => {
    sfu = new LoopbackSfu({ port: 0 });
    ({ url } = await sfu.start());
  });

  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.close();
    await sfu.close();
  });

  function publish(scenes: readonly Scene[]): Promise<WrtcPublisher> {
    const publisher = new WrtcPublisher(scenes);
    peers.push(publisher);
    return publisher.publish(`${url}/whip/demo`);
  }

  function view(capacity: number): Promise<WrtcViewer> {
    const viewer = new WrtcViewer(capacity);
    peers.push(viewer);
    return viewer.view(`${url}/whep/demo`);
  }

  function room(): RoomSnapshot | undefined {
    return sfu.rooms()[0];
  }

  it('brings every camera to every viewer, each at its own place', async () => {
    await publish([DARK, BRIGHT]);
    const viewers = [await view(2), await view(2)];
    for (const viewer of viewers) await eventually(() => viewer.shows([DARK, BRIGHT]), 'both pictures');
    const before = viewers.map((viewer) => [...viewer.frames]);
    await eventually(
      () =>
        viewers.every((viewer, index) => viewer.frames.every((count, at) => count > (before[index]?.[at] ?? 0) + 30)),
      'a second of frames',
    );
    expect(room()).toMatchObject({
      publisher: { state: 'connected', datagramsDropped: 0, rtcpMalformed: 0, packetsUnroutable: 0 },
      tracks: [
        { codec: 'VP8', packetsLost: 0 },
        { codec: 'VP8', packetsLost: 0 },
      ],
      viewers: [
        { state: 'connected', capacity: 2 },
        { state: 'connected', capacity: 2 },
      ],
    });
  });

  it('has the publisher make a key frame for a viewer that joins late', async () => {
    const publisher = await publish([DARK]);
    await view(1);
    await eventually(async () => (await publisher.sent('pliCount')) === 1, 'the first request');
    const keyFrames = await publisher.sent('keyFramesEncoded');
    const late = await view(1);
    await eventually(() => late.shows([DARK]), 'the picture');
    await eventually(async () => (await publisher.sent('keyFramesEncoded')) > keyFrames, 'one more key frame');
    expect(await publisher.sent('pliCount')).toBeGreaterThanOrEqual(2);
  });

  it('gives the publisher the feedback that its bandwidth estimator needs', async () => {
    const publisher = await publish(['noise']);
    // libwebrtc starts at 300 kbit/s and stays there without feedback.
    await eventually(async () => (await publisher.availableBps()) > 500_000, 'a growing estimate');
  });

  it('lets viewers come before the publisher', async () => {
    const viewer = await view(1);
    await publish([BRIGHT]);
    await eventually(() => viewer.shows([BRIGHT]), 'the picture');
  });

  it('viewers go on with the new publisher, on the same connection', async () => {
    await publish([DARK]);
    const viewer = await view(1);
    await eventually(() => viewer.shows([DARK]), 'the first picture');
    const session = room()?.viewers[0]?.session;
    await publish([BRIGHT]);
    await eventually(() => viewer.shows([BRIGHT]), 'the second picture');
    expect(viewer.connection.connectionState).toBe('connected');
    expect(room()).toMatchObject({ revision: 2, viewers: [{ session }] });
    // The viewer's and the new publisher's: the old one is closed, in a moment.
    await eventually(() => openHandles().join() === 'TCPServerWrap,UDPWrap,UDPWrap', 'the old one to be closed');
  });

  it('ends a session on DELETE, and one whose peer has closed', async () => {
    const publisher = await publish([DARK]);
    const viewer = await view(1);
    await eventually(() => viewer.shows([DARK]), 'the picture');
    expect((await fetch(viewer.resource, { method: 'DELETE' })).status).toBe(200);
    expect(room()?.viewers).toEqual([]);
    publisher.close();
    await eventually(() => room() === undefined, 'the room to be forgotten');
  });

  it('close() leaves no socket, with peers that are still there', async () => {
    await publish([DARK]);
    const viewer = await view(1);
    await eventually(() => viewer.shows([DARK]), 'the picture');
    const startedMs = performance.now();
    await sfu.close();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await settle();
    expect(openHandles()).toEqual([]);
    expect(sfu.rooms()).toEqual([]);
  });
});

describe('LoopbackSfu and our own transport over WHIP', () => {
  it('connects, receives every packet and gets reports', async () => {
    const sfu = new LoopbackSfu({ port: 0 });
    const { url } = await sfu.start();
    const kinds = new Set<string>();
    const transport = createWeriftTransportFactory({ clock: new SystemClock() })({
      stateChanged: () => undefined,
      rtcp: (compound) => {
        for (const packet of parseRtcp(compound).packets) kinds.add(packet.kind);
      },
    });
    const signaller = new WhipSignaller({ url: `${url}/whip/demo` });
    try {
      const { sdp } = await signaller.offer(
        await transport.createOffer([{ trackId: 'front', codec: 'vp8', alternatives: ['vp9', 'av1'], ssrc: 1234 }]),
      );
      const [track] = await transport.acceptAnswer(sdp);
      await transport.connected(5_000);
      if (track === undefined) throw new Error('no track was negotiated');
      const { payloadType, alternatives = {}, nack, pli } = track;
      expect({ nack, pli }).toEqual({ nack: true, pli: true });
      let sent = 0;
      const send = (payloadType: number) => {
        const header = {
          payloadType,
          sequenceNumber: sent,
          timestamp: sent * 3_000,
          ssrc: 1234,
          marker: true,
          extensions: [],
        };
        if (transport.sendRtp(header, Buffer.alloc(100))) sent += 1;
      };
      const timer = setInterval(() => send(payloadType), 10);
      await eventually(() => kinds.has('receiver-report'), 'a report').finally(() => clearInterval(timer));
      await eventually(() => sfu.rooms()[0]?.tracks[0]?.packetsReceived === sent, 'every packet');
      expect(sfu.rooms()[0]?.tracks).toMatchObject([{ id: 'front', codec: 'VP8', packetsLost: 0 }]);
      const events = await EventReader.open(`${url}/rooms/demo/events`);
      expect(await events.next()).toMatchObject({ tracks: [{ codec: 'VP8' }] });
      for (const codec of ['av1', 'vp9'] as const) {
        send(alternatives[codec] ?? 0);
        expect(await events.next()).toMatchObject({ tracks: [{ codec: codec.toUpperCase() }] });
      }
      send(120);
      await eventually(() => sfu.rooms()[0]?.publisher?.packetsUnroutable === 1, 'the foreign packet to be counted');
      expect(sfu.rooms()[0]?.tracks).toMatchObject([{ codec: 'VP9', packetsReceived: sent - 1 }]);
      await events.close();
      expect(await signaller.close()).toEqual({ confirmed: true });
      expect(sfu.rooms()).toEqual([]);
    } finally {
      await transport.close();
      await sfu.close();
    }
  });
});
