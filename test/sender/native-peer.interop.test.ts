import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import type { FrameReport } from '../../src/sender/stats/frame-report.js';
import { createSender } from '../../src/service/create-sender.js';
import { TRANSPORT_NAMES, type TransportName } from '../../src/service/transport-choice.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { type DecodedPicture, NativePeer } from '../support/native-peer.js';

const FRAMES = 300;
const SWAPS = 20;
const CAMERAS = [
  { id: 'front', cameraId: 1 },
  { id: 'rear', cameraId: 2 },
] as const;

const clock = new SystemClock();
let peer: NativePeer;
let sender: RtcSender;
let sources: TestPatternSource[];
let reports: FrameReport[];

async function start(transport: TransportName): Promise<void> {
  peer = new NativePeer(() => clock.nowUs());
  sender = createSender({ clock, transport, startBitrateBps: 1_600_000, congestionControl: 'fixed' });
  reports = [];
  sender.on('frameSent', (report) => void reports.push(report));
  for (const { id } of CAMERAS) await sender.addVideoTrack({ id, width: 640, height: 480 });
  await sender.connect(peer.negotiate);
}

afterEach(async () => {
  await Promise.all(sources.map((source) => source.stop()));
  await sender.close();
  peer.close();
});

/** Runs both cameras until each has delivered all its frames, and what was sent has had time to arrive. */
async function runCameras(): Promise<void> {
  sources = CAMERAS.map(
    ({ id, cameraId }) =>
      new TestPatternSource({ width: 640, height: 480, framerate: 30, label: id, cameraId, clock, maxFrames: FRAMES }),
  );
  await Promise.all(
    sources.map((source, index) => {
      const id = CAMERAS[index]?.id ?? '';
      return new Promise<void>((resolve) => {
        void source.start({ frame: (frame) => sender.sendFrame(id, frame), ended: () => resolve() });
      });
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

/** Capture times of the frames of a track that were sent, in order. */
function sentTimes(id: string): number[] {
  return reports
    .filter((report) => report.trackId === id && report.outcome === 'sent')
    .map(({ timestamp }) => timestamp);
}

/** Capture times told by the bar codes of decoded pictures. */
function decodedTimes(pictures: readonly DecodedPicture[]): number[] {
  return pictures.flatMap(({ code }) => (code === undefined ? [] : [code.captureTimeUs]));
}

/** Sent frames that were never decoded, from the first decoded one on: before it the receiver was not ready. */
function lostTimes(id: string, decoded: readonly number[]): number[] {
  const seen = new Set(decoded);
  const first = decoded[0] ?? Number.POSITIVE_INFINITY;
  return sentTimes(id).filter((timestamp) => timestamp >= first && !seen.has(timestamp));
}

/** The most frames in a row that were sent and never decoded: swaps are twelve frames apart, so a run belongs to one swap. */
function longestLostRun(id: string, decoded: readonly number[]): number {
  const lost = new Set(lostTimes(id, decoded));
  let longest = 0;
  let run = 0;
  for (const timestamp of sentTimes(id)) {
    run = lost.has(timestamp) ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

function expectInOrder(times: readonly number[]): void {
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
}

/** Runs one camera at a size until it has delivered some frames. */
async function runAtSize(id: string, cameraId: number, width: number, height: number): Promise<void> {
  const source = new TestPatternSource({ width, height, framerate: 30, label: id, cameraId, clock, maxFrames: 45 });
  sources.push(source);
  await new Promise<void>((resolve) => {
    void source.start({ frame: (frame) => sender.sendFrame(id, frame), ended: () => resolve() });
  });
}

describe.each(TRANSPORT_NAMES)('a native libwebrtc peer, over %s,', (transport) => {
  beforeEach(() => start(transport));

  it('follows a change of size, down and up again, with no wrong picture and at most one frame lost each time', async () => {
    sources = [];
    const sizes = [
      [640, 480],
      [320, 240],
      [1280, 720],
    ] as const;
    for (const [width, height] of sizes) {
      await sender.reconfigureTrack('front', { width, height });
      await runAtSize('front', 1, width, height);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const pictures = peer.picturesOf(1);
    const times = decodedTimes(pictures);
    expectInOrder(times);
    expect(times).toHaveLength(pictures.length);
    expect(lostTimes('front', times).length).toBeLessThanOrEqual(sizes.length);
    const decoded = pictures.map(({ width, height }) => `${width}x${height}`);
    expect(decoded.filter((size, index) => size !== decoded[index - 1])).toEqual(['640x480', '320x240', '1280x720']);
  });

  it('decodes at least 95 % of the frames of a VP8 track, in order, and their latency can be told', async () => {
    await runCameras();
    for (const { id, cameraId } of CAMERAS) {
      const pictures = peer.picturesOf(cameraId);
      const times = decodedTimes(pictures);
      expect(times.length).toBeGreaterThanOrEqual(0.95 * sentTimes(id).length);
      expect(pictures.every(({ width, height }) => width === 640 && height === 480)).toBe(true);
      expectInOrder(times);
      const latencies = pictures.flatMap(({ code, decodedAtUs }) =>
        code === undefined ? [] : [(decodedAtUs - code.captureTimeUs) / 1000],
      );
      const sorted = latencies.toSorted((a, b) => a - b);
      const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
      console.info(
        `${id}: ${times.length} of ${sentTimes(id).length} frames, capture to decoded p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
      );
      expect(sorted[0]).toBeGreaterThan(0);
    }
  });

  it(`sees every frame of the other track and misses at most one a swap while an encoder is swapped ${SWAPS} times`, async () => {
    const swaps: Promise<void>[] = [];
    let seen = 0;
    sender.on('frameSent', ({ trackId }) => {
      if (trackId !== 'front') return;
      seen += 1;
      // From the second second on, so that the receiver is past its start.
      if (seen > 30 && seen % 12 === 0 && swaps.length < SWAPS) swaps.push(sender.recreateEncoder('front'));
    });
    await runCameras();
    await Promise.all(swaps);

    const front = peer.picturesOf(1);
    const rear = peer.picturesOf(2);
    expect(swaps).toHaveLength(SWAPS);
    expect(sender.getTrackStats('front').encoderSwaps).toBe(SWAPS);
    expect(lostTimes('rear', decodedTimes(rear))).toEqual([]);
    expect(lostTimes('front', decodedTimes(front)).length).toBeLessThanOrEqual(SWAPS);
    expect(longestLostRun('front', decodedTimes(front))).toBeLessThanOrEqual(1);
    for (const [pictures, cameraId] of [[front, 1] as const, [rear, 2] as const]) {
      // A black, foreign or broken picture would have no bar code, or that of the other camera.
      expect(pictures.every(({ code }) => code?.cameraId === cameraId)).toBe(true);
      expectInOrder(decodedTimes(pictures));
    }
  });
});
