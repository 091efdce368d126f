import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { NativePeer } from '../support/native-peer.js';

const FRAMES = 240;
const SWAP_EVERY_FRAMES = 24;
const SWAPS = 6;

const clock = new SystemClock();
let peer: NativePeer;
let sender: RtcSender;
let source: TestPatternSource;
let sent: number[];

beforeEach(() => {
  peer = new NativePeer(() => clock.nowUs());
  sender = createSender({ clock, startBitrateBps: 1_000_000, congestionControl: 'fixed' });
  sent = [];
  sender.on('frameSent', ({ outcome, timestamp }) => {
    if (outcome === 'sent') sent.push(timestamp);
  });
  source = new TestPatternSource({
    width: 640,
    height: 480,
    framerate: 30,
    label: 'front',
    cameraId: 1,
    clock,
    maxFrames: FRAMES,
  });
});

afterEach(async () => {
  await source.stop();
  await sender.close();
  peer.close();
});

/** Sends all frames to the peer, and gives what was sent time to arrive. */
async function run(codec: VideoCodec): Promise<void> {
  await sender.addVideoTrack({ id: 'front', codec, width: 640, height: 480 });
  await sender.connect(peer.negotiate);
  await new Promise<void>((resolve) => {
    void source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => resolve() });
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

/** Capture times told by the bar codes of the decoded pictures, which must all be whole and in order. */
function decodedTimes(): readonly number[] {
  const pictures = peer.picturesOf(1);
  expect(pictures.every(({ code, width, height }) => code?.cameraId === 1 && width === 640 && height === 480)).toBe(
    true,
  );
  const times = pictures.flatMap(({ code }) => (code === undefined ? [] : [code.captureTimeUs]));
  expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  return times;
}

describe.each<VideoCodec>(['vp9', 'av1'])('a native libwebrtc peer of a %s track', (codec) => {
  it('decodes at least 95 % of the frames, in order', async () => {
    await run(codec);
    const times = decodedTimes();
    console.info(`${codec}: ${times.length} of ${sent.length} frames`);
    expect(sent.length).toBeGreaterThan(FRAMES / 2);
    expect(times.length).toBeGreaterThanOrEqual(0.95 * sent.length);
  });

  it(`misses at most one frame a swap while the encoder is swapped ${SWAPS} times and the target changes`, async () => {
    const swaps: Promise<void>[] = [];
    let seen = 0;
    sender.on('frameSent', () => {
      seen += 1;
      // From the second second on, so that the receiver is past its start.
      if (seen > 30 && seen % SWAP_EVERY_FRAMES === 0 && swaps.length < SWAPS)
        swaps.push(sender.recreateEncoder('front'));
      if (seen === FRAMES - 40) sender.updateBitrate(500_000);
    });
    await run(codec);
    await Promise.all(swaps);
    expect(sender.getTrackStats('front').encoderSwaps).toBe(SWAPS);
    const times = decodedTimes();
    const decoded = new Set(times);
    const lost = sent.filter((timestamp) => timestamp >= (times[0] ?? 0) && !decoded.has(timestamp));
    expect(times.length).toBeGreaterThan(FRAMES / 2);
    expect(lost.length).toBeLessThanOrEqual(SWAPS);
  });
});

describe('a native libwebrtc peer of a track that changes its codec', () => {
  it('decodes VP8, VP9, AV1 and VP8 again in one stream, in order, with at most one frame lost each time', async () => {
    await sender.addVideoTrack({ id: 'front', width: 640, height: 480, alternativeCodecs: ['vp9', 'av1'] });
    await sender.connect(peer.negotiate);
    const changes: Promise<void>[] = [];
    const codecs = ['vp9', 'av1', 'vp8'] as const;
    let seen = 0;
    sender.on('frameSent', () => {
      seen += 1;
      const codec = codecs[changes.length];
      if (seen % 60 === 0 && codec !== undefined) changes.push(sender.reconfigureTrack('front', { codec }));
    });
    await new Promise<void>((resolve) => {
      void source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => resolve() });
    });
    await Promise.all(changes);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(changes).toHaveLength(codecs.length);
    const decoded = new Set(decodedTimes());
    const lost = sent.filter((timestamp) => timestamp >= Math.min(...decoded) && !decoded.has(timestamp));
    console.info(`${decoded.size} of ${sent.length} frames, over three changes of codec`);
    expect(lost.length).toBeLessThanOrEqual(codecs.length);
  });
});
