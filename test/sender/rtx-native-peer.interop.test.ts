import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { Negotiate } from '../../src/sender/connection/signaller-from-negotiation.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { eventually, WrtcViewer } from '../loopback/wrtc-clients.js';
import { NativePeer, type VideoStats } from '../support/native-peer.js';
import { LossyRelay } from '../support/network/lossy-relay.js';

const SIZE = { width: 640, height: 480 };
const TARGET_BPS = 1_500_000;
const ONE_WAY_MS = 30;

const clock = new SystemClock();
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function openRelay(lossShare: number): LossyRelay {
  const relay = new LossyRelay({ oneWayMs: ONE_WAY_MS, lossShare, seed: 7 });
  closing.push(() => relay.close());
  return relay;
}

function openPeer(): NativePeer {
  const peer = new NativePeer(() => clock.nowUs());
  closing.push(() => peer.close());
  return peer;
}

async function openSender(negotiate: Negotiate, congestionControl: 'fixed' | 'goog-cc' = 'fixed'): Promise<RtcSender> {
  const sender = createSender({ clock, startBitrateBps: TARGET_BPS, maxBitrateBps: 2 * TARGET_BPS, congestionControl });
  closing.push(() => sender.close());
  await sender.addVideoTrack({ id: 'front', codec: 'vp8', ...SIZE });
  await sender.connect(negotiate);
  return sender;
}

/** Sends pictures of a camera at 30 fps, and leaves time for what is lost of the last ones. */
async function film(sender: RtcSender, frames: number): Promise<void> {
  const source = new TestPatternSource({ ...SIZE, framerate: 30, label: '', cameraId: 1, clock, maxFrames: frames });
  closing.push(() => source.stop());
  await new Promise<void>((resolve) => {
    void source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => resolve() });
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

function show(name: string, sender: RtcSender, { framesDecoded, pliCount, ...video }: VideoStats): void {
  const { framesSent, nackCount, retransmittedPacketsSent } = sender.getTrackStats('front');
  const freezes = `${video.freezeCount} freezes of ${video.totalFreezesDuration.toFixed(2)} s together`;
  console.info(
    `${name}: ${framesDecoded} of ${framesSent} frames decoded, ${freezes}, ${retransmittedPacketsSent} packets sent again for ${nackCount} NACKs, ${pliCount} PLI`,
  );
}

describe('retransmissions to a native libwebrtc peer that is 60 ms away', () => {
  it.each([
    [0.05, 0.99, 'fixed'],
    [0.1, 0.97, 'fixed'],
    [0.05, 0.99, 'goog-cc'],
  ] as const)(
    'make up for a loss of %d both ways: of the frames %d are decoded at least (%s)',
    async (lossShare, bar, control) => {
      const peer = openPeer();
      const relay = openRelay(lossShare);
      const sender = await openSender(relay.via(peer.negotiate), control);
      await film(sender, 300);
      const stats = sender.getTrackStats('front');
      const video = await peer.videoStats();
      show(`${lossShare * 100} % lost, ${control}`, sender, video);
      expect(video.framesDecoded / stats.framesSent).toBeGreaterThanOrEqual(bar);
      // Probes are among them.
      expect(relay.packetsOf(stats.rtxSsrc)).toBeGreaterThanOrEqual(stats.retransmittedPacketsSent);
      expect(relay.packetsOf(stats.ssrc) + relay.packetsOf(stats.rtxSsrc)).toBe(stats.packetsSent);
      expect(stats.retransmittedPacketsSent).toBeGreaterThan(relay.dropped / 2);
    },
  );

  it('go with the media where the answer has no stream for them', async () => {
    const peer = openPeer();
    const relay = openRelay(0.05);
    const sender = await openSender(relay.via(async (offer) => peer.negotiate(withoutRtx(offer))));
    await film(sender, 150);
    const stats = sender.getTrackStats('front');
    const video = await peer.videoStats();
    show('no stream of retransmissions', sender, video);
    expect(stats.rtxSsrc).toBeUndefined();
    expect(stats.retransmittedPacketsSent).toBeGreaterThan(0);
    expect(relay.packetsOf(stats.ssrc)).toBe(stats.packetsSent);
    expect(video.framesDecoded / stats.framesSent).toBeGreaterThan(0.9);
  });

  it('go on over swaps of the encoder and another connection', async () => {
    const peer = openPeer();
    const relay = openRelay(0.05);
    const sender = await openSender(relay.via(peer.negotiate));
    const swaps = setInterval(() => void sender.recreateEncoder('front'), 1000);
    closing.push(() => clearInterval(swaps));
    await film(sender, 120);
    const next = openPeer();
    const nextRelay = openRelay(0.05);
    await sender.connect(nextRelay.via(next.negotiate));
    const { framesSent } = sender.getTrackStats('front');
    await film(sender, 120);
    const stats = sender.getTrackStats('front');
    const [before, after] = [await peer.videoStats(), await next.videoStats()];
    show('swaps, then another connection', sender, after);
    // Nobody misses a packet that was lost before the first one to arrive: it takes a second key frame then.
    expect(before.framesDecoded / framesSent).toBeGreaterThan(0.9);
    expect(after.framesDecoded / (stats.framesSent - framesSent)).toBeGreaterThan(0.9);
    expect(relay.gapsOf(stats.rtxSsrc)).toBe(0);
    expect(relay.packetsOf(stats.rtxSsrc) + nextRelay.packetsOf(stats.rtxSsrc)).toBe(stats.retransmittedPacketsSent);
  });
});

describe('retransmissions to the loopback SFU', () => {
  it('restore what is lost on the way there', async () => {
    const sfu = new LoopbackSfu({ port: 0 });
    closing.push(() => sfu.close());
    const { url } = await sfu.start();
    const relay = openRelay(0.1);
    const sender = await openSender(relay.via((offer) => post(`${url}/whip/demo`, offer)));
    await film(sender, 150);
    const stats = sender.getTrackStats('front');
    const [track] = sfu.rooms()[0]?.tracks ?? [];
    console.info(
      `SFU: ${track?.packetsRepaired} of ${track?.packetsLost} lost packets restored, ${track?.nackCount} NACKs`,
    );
    expect(relay.packetsOf(stats.rtxSsrc)).toBe(stats.retransmittedPacketsSent);
    expect(track?.packetsLost).toBeGreaterThan(20);
    // What is lost again at the very end is not asked for again, since nothing follows.
    expect(track?.packetsRepaired).toBeGreaterThan(0.95 * (track?.packetsLost ?? 0));
    expect(track?.nackCount).toBeGreaterThan(0);
  });
});

describe('retransmissions of the loopback SFU', () => {
  it('make up for a loss of 5 % on the way to a viewer', async () => {
    const sfu = new LoopbackSfu({ port: 0 });
    closing.push(() => sfu.close());
    const { url } = await sfu.start();
    const sender = await openSender((offer) => post(`${url}/whip/demo`, offer));
    const viewer = new WrtcViewer(1);
    closing.push(() => viewer.close());
    const relay = openRelay(0.05);
    await viewer.view(`${url}/whep/demo`, (negotiate) => relay.via(negotiate));
    await eventually(() => sfu.rooms()[0]?.viewers[0]?.state === 'connected', 'the viewer');
    await film(sender, 150);
    const { framesSent } = sender.getTrackStats('front');
    const { ssrc, rtxSsrc } = viewer.announced();
    const repeated = relay.packetsOf(rtxSsrc);
    console.info(
      `viewer: ${viewer.frames[0]} of ${framesSent} frames, ${repeated} packets sent again, ${relay.dropped} lost`,
    );
    expect(repeated).toBeGreaterThan(10);
    expect(relay.gapsOf(ssrc)).toBe(0);
    // A busy machine shows fewer than it decodes.
    expect(viewer.frames[0]).toBeGreaterThan(0.85 * framesSent);
  });
});

/** What a peer without retransmissions in a stream of their own reads of an offer. */
function withoutRtx(offer: string): string {
  const types = [...offer.matchAll(/^a=rtpmap:(\d+) rtx\//gm)].map(([, type = '']) => type);
  return offer
    .replace(/^m=video .*$/gm, (line) => types.reduce((text, type) => text.replace(` ${type}`, ''), line))
    .split('\r\n')
    .filter((line) => !types.some((type) => new RegExp(`^a=(rtpmap|fmtp|rtcp-fb):${type} `).test(line)))
    .filter((line) => !line.startsWith('a=ssrc'))
    .join('\r\n');
}

async function post(url: string, body: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body });
  return response.text();
}
