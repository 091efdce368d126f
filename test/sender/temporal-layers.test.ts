import { afterEach, describe, expect, it } from 'vitest';
import type { ScalabilityMode } from '../../src/encoder/temporal-layers.js';
import type { RtcSenderOptions } from '../../src/sender/sender-options.js';
import type { EncodingSpec } from '../../src/sender/tracks/encodings.js';
import { type DepacketizedVp8, depacketizeVp8 } from '../support/depacketize.js';
import { FeedbackPeer } from '../support/feedback-peer.js';
import type { PoisoningEncoderOptions } from '../support/poisoning-encoder.js';
import { HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

const FRONT = { id: 'front', width: WIDTH, height: HEIGHT } as const;
const FRAME_MS = 33;

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.encoders.alive).toBe(0);
});

function setUp(options: Partial<RtcSenderOptions> & { readonly encoder?: PoisoningEncoderOptions } = {}): void {
  harness = new SenderHarness(options);
}

async function connected(scalabilityMode: ScalabilityMode): Promise<void> {
  await harness.sender.addVideoTrack({ ...FRONT, scalabilityMode });
  await harness.sender.connect(harness.negotiate);
}

async function send(frames: number): Promise<void> {
  for (let frame = 0; frame < frames; frame += 1) await harness.send('front', FRAME_MS);
}

/** The frames that left, of one packet each. */
function framesSent(): DepacketizedVp8[] {
  return harness.packetsOf('front').map(({ payload }) => depacketizeVp8([payload]));
}

function layersSent(): (number | undefined)[] {
  return framesSent().map(({ layer }) => layer?.temporalLayerId);
}

describe('a camera with temporal layers', () => {
  it('tells the layer of each frame in its packets, and nothing of layers where it has none', async () => {
    setUp();
    await connected('L1T3');
    await send(6);
    expect(layersSent()).toEqual([0, 2, 1, 2, 0, 2]);
    expect(harness.sender.getTrackStats('front').scalabilityMode).toBe('L1T3');
    const report = harness.sender.getStatsReport();
    const outbound = [...report.values()].filter(({ type }) => type === 'outbound-rtp');
    expect(outbound).toMatchObject([{ scalabilityMode: 'L1T3' }]);
    await harness.sender.removeTrack('front');
    await harness.sender.addVideoTrack({ ...FRONT, scalabilityMode: 'L1T1' });
    await send(2);
    expect(layersSent()).toEqual([undefined, undefined]);
  });

  it('goes on with picture ids and TL0PICIDX over other encoders and other connections', async () => {
    setUp();
    await connected('L1T2');
    await send(3);
    await harness.sender.recreateEncoder('front');
    await send(3);
    await harness.sender.connect(harness.negotiate);
    await send(3);
    const frames = framesSent();
    expect(layersSent()).toEqual([0, 1, 0, 0, 1, 0, 0, 1, 0]);
    const [first] = frames;
    expect(frames.map(({ pictureId }) => (pictureId - (first?.pictureId ?? 0)) & 0x7fff)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
    const baseIndices = frames.map(({ layer }) => ((layer?.baseIndex ?? 0) - (first?.layer?.baseIndex ?? 0)) & 0xff);
    expect(baseIndices).toEqual([0, 0, 1, 2, 2, 3, 4, 4, 5]);
  });

  it('has those of each encoding, or of the camera where an encoding names none', async () => {
    setUp();
    harness.network.extensions = { mid: 1, rid: 6, repairedRid: 7 };
    harness.network.wishes = new Map([
      ['f', 'wanted'],
      ['h', 'wanted'],
    ]);
    const encodings = [{ rid: 'f' }, { rid: 'h', scalabilityMode: 'L1T1' }] as const;
    await harness.sender.addVideoTrack({ id: 'front', width: 128, height: 96, encodings, scalabilityMode: 'L1T2' });
    expect(harness.encoders.encoders.map(({ config }) => config.scalabilityMode)).toEqual(['L1T2', 'L1T1']);
  });

  it('keeps them when it is reconfigured', async () => {
    setUp();
    await connected('L1T3');
    await harness.sender.reconfigureTrack('front', { width: 128, height: 96 });
    expect(harness.encoders.encoders.at(-1)?.config).toMatchObject({ width: 128, scalabilityMode: 'L1T3' });
  });
});

describe('temporal layers that cannot be had', () => {
  const encodings: readonly EncodingSpec[] = [{ rid: 'f', scalabilityMode: 'L1T2' }, { rid: 'h' }];

  it.each([
    ['of a codec', { codec: 'h264', scalabilityMode: 'L1T2' }, 'NOT_SUPPORTED'],
    ['of a codec, in one encoding', { width: 128, height: 96, codec: 'av1', encodings }, 'NOT_SUPPORTED'],
    ['of a mode that there is not', { scalabilityMode: 'L3T3' as ScalabilityMode }, 'INVALID_ARGUMENT'],
    [
      'of such a mode in an encoding',
      { width: 128, height: 96, encodings: [{ rid: 'f' }, { rid: 'h', scalabilityMode: 'T2' as ScalabilityMode }] },
      'INVALID_ARGUMENT',
    ],
  ] as const)('are refused before an encoder is opened: %s', async (_name, change, code) => {
    setUp();
    await expect(harness.sender.addVideoTrack({ ...FRONT, ...change })).rejects.toMatchObject({ code });
    expect(harness.encoders.opened).toBe(0);
    await harness.addTracks('front');
  });

  it('leave no half of a camera behind where the encoders have none', async () => {
    setUp();
    harness.encoders.layers = false;
    const adding = harness.sender.addVideoTrack({ ...FRONT, width: 128, height: 96, encodings });
    await expect(adding).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    expect(harness.encoders.alive).toBe(0);
    await harness.addTracks('front');
  });

  it('keep a camera from a codec without, and it goes on as before', async () => {
    setUp();
    await harness.sender.addVideoTrack({ ...FRONT, scalabilityMode: 'L1T2', alternativeCodecs: ['vp9', 'h264'] });
    await harness.sender.connect(harness.negotiate);
    await send(1);
    await expect(harness.sender.reconfigureTrack('front', { codec: 'h264' })).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      context: { trackId: 'front' },
    });
    await send(2);
    expect(layersSent()).toEqual([0, 1, 0]);
    await harness.sender.reconfigureTrack('front', { codec: 'vp9' });
  });
});

describe('on a network that is too slow', () => {
  it('upper frames that waited for too long are dropped, and nobody has to wait for a key frame', async () => {
    // An upper frame would take longer to send than frames may wait; what comes behind it is younger.
    setUp({
      congestionControl: 'goog-cc',
      startBitrateBps: 200_000,
      maxBitrateBps: 200_000,
      encoder: { chunkBytes: 9_000, baseChunkBytes: 600 },
    });
    const peer = new FeedbackPeer(harness.clock, harness.network, { capacityBps: 50_000_000, delayMs: 5 });
    await connected('L1T2');
    for (let frame = 0; frame < 200; frame += 1) {
      await harness.send('front', FRAME_MS);
      peer.report();
    }
    const stale = harness.reports.filter(
      (report) => report.outcome === 'dropped' && report.reason === 'congestion' && report.encodedAtUs !== undefined,
    );
    expect(stale.length).toBeGreaterThan(2);
    const sent = harness.reports.filter(({ outcome }) => outcome === 'sent');
    expect(sent.length).toBeGreaterThan(5);
    // An encoder that makes more than it should is replaced now and then, which is another matter.
    const { keyFramesEncoded, encoderSwaps } = harness.sender.getTrackStats('front');
    expect(keyFramesEncoded).toBe(1 + encoderSwaps);
  });
});
