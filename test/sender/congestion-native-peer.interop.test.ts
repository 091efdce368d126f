import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { Negotiate } from '../../src/sender/connection/signaller-from-negotiation.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import type { FrameReport } from '../../src/sender/stats/frame-report.js';
import { createSender } from '../../src/service/create-sender.js';
import type { Signaller } from '../../src/signalling/signaller.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { WrtcViewer } from '../loopback/wrtc-clients.js';
import { NativePeer } from '../support/native-peer.js';

const START_BPS = 300_000;
const MAX_BPS = 4_000_000;
const FRAMES = 240;

const clock = new SystemClock();
let peer: NativePeer;
let sender: RtcSender;
let source: TestPatternSource;

beforeEach(() => {
  peer = new NativePeer(() => clock.nowUs());
});

afterEach(async () => {
  await source.stop();
  await sender.close();
  peer.close();
});

/** Sends pictures of a camera over loopback; returns what became of them. */
async function run(
  codec: 'vp8' | 'vp9',
  signaller: Signaller | Negotiate = peer.negotiate,
  connected: () => Promise<unknown> = async () => undefined,
): Promise<readonly FrameReport[]> {
  sender = createSender({ clock, congestionControl: 'goog-cc', startBitrateBps: START_BPS, maxBitrateBps: MAX_BPS });
  const reports: FrameReport[] = [];
  sender.on('frameSent', (report) => void reports.push(report));
  const size = { width: 640, height: 480 };
  await sender.addVideoTrack({ id: 'front', codec, ...size });
  await sender.connect(signaller);
  await connected();
  source = new TestPatternSource({ ...size, framerate: 30, label: 'front', cameraId: 1, clock, maxFrames: FRAMES });
  await new Promise<void>((resolve) => {
    void source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => resolve() });
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return reports;
}

describe('congestion control with a native libwebrtc peer', () => {
  it.each(['vp8', 'vp9'] as const)(
    'finds out what loopback carries, and every frame of %s is decoded',
    async (codec) => {
      const reports = await run(codec);
      const { congestion, targetBitrate } = sender.getStats();
      const { paddingBytesSent, remoteInbound } = sender.getTrackStats('front');
      const sent = reports.filter(({ outcome }) => outcome === 'sent');
      const decoded = await peer.framesDecoded();
      console.info(
        `${codec}: ${decoded} of ${sent.length} frames decoded, ${paddingBytesSent} bytes of padding`,
        congestion,
      );
      expect(congestion?.feedbacks).toBeGreaterThan(20);
      expect(targetBitrate).toBeGreaterThan(0.6 * MAX_BPS);
      expect(paddingBytesSent).toBeGreaterThan(0);
      expect(remoteInbound?.packetsLost).toBe(0);
      expect(decoded).toBe(sent.length);
      const times = peer.picturesOf(1).flatMap(({ code }) => (code === undefined ? [] : [code.captureTimeUs]));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.length).toBeGreaterThan(0.9 * sent.length);
    },
  );
});

describe('congestion control with the loopback SFU', () => {
  it('finds out what loopback carries, and a viewer sees the pictures through its padding', async () => {
    const sfu = new LoopbackSfu({ port: 0 });
    const { url } = await sfu.start();
    const viewer = new WrtcViewer(1);
    try {
      const reports = await run('vp8', new WhipSignaller({ url: `${url}/whip/demo` }), () =>
        viewer.view(`${url}/whep/demo`),
      );
      const { congestion, targetBitrate } = sender.getStats();
      const sent = reports.filter(({ outcome }) => outcome === 'sent').length;
      const [track] = sfu.rooms()[0]?.tracks ?? [];
      console.info(`viewer: ${viewer.frames[0]} of ${sent} frames`, track, congestion);
      expect(targetBitrate).toBeGreaterThan(0.6 * MAX_BPS);
      expect(sender.getTrackStats('front').paddingBytesSent).toBeGreaterThan(0);
      expect(track).toMatchObject({ packetsLost: 0 });
      expect(viewer.frames[0]).toBeGreaterThan(0.85 * sent);
    } finally {
      viewer.close();
      await sfu.close();
    }
  });
});
