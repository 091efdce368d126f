import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { FrameReport } from '../../src/sender/frame-report.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
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
async function run(codec: 'vp8' | 'vp9'): Promise<readonly FrameReport[]> {
  sender = createSender({ clock, congestionControl: 'goog-cc', startBitrateBps: START_BPS, maxBitrateBps: MAX_BPS });
  const reports: FrameReport[] = [];
  sender.on('frameSent', (report) => void reports.push(report));
  const size = { width: 640, height: 480 };
  await sender.addVideoTrack({ id: 'front', codec, ...size });
  await sender.connect(peer.negotiate);
  source = new TestPatternSource({ ...size, framerate: 30, label: 'front', cameraId: 1, clock, maxFrames: FRAMES });
  await new Promise<void>((resolve) => {
    void source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => resolve() });
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return reports;
}

describe('congestion control with a native libwebrtc peer', () => {
  it.each(['vp8', 'vp9'] as const)(
    'finds out what loopback carries, and every picture of %s is decoded',
    async (codec) => {
      const reports = await run(codec);
      const { congestion, targetBitrate } = sender.getStats();
      const { paddingBytesSent, remoteInbound } = sender.getTrackStats('front');
      const sent = reports.filter(({ outcome }) => outcome === 'sent').map(({ timestamp }) => timestamp);
      const decoded = peer.picturesOf(1).flatMap(({ code }) => (code === undefined ? [] : [code.captureTimeUs]));
      console.info(
        `${codec}: ${decoded.length} of ${sent.length} frames, ${paddingBytesSent} bytes of padding`,
        congestion,
      );
      expect(congestion?.feedbacks).toBeGreaterThan(20);
      expect(targetBitrate).toBeGreaterThan(0.8 * MAX_BPS);
      expect(paddingBytesSent).toBeGreaterThan(0);
      expect(remoteInbound?.packetsLost).toBe(0);
      const [first = Number.POSITIVE_INFINITY] = decoded;
      const seen = new Set(decoded);
      expect(sent.filter((timestamp) => timestamp >= first && !seen.has(timestamp))).toEqual([]);
      expect(decoded.length).toBeGreaterThan(0.9 * FRAMES);
    },
  );
});
