import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LateCompletions } from '../../src/concurrency/late-completions.js';
import { rtpTimestamp } from '../../src/rtp/media-time.js';
import { writePli } from '../../src/rtp/rtcp-write.js';
import { KeyFramePacer } from '../../src/sender/outbound/key-frame-pacer.js';
import { OutboundRtp } from '../../src/sender/outbound/outbound-rtp.js';
import { SendPath } from '../../src/sender/outbound/send-path.js';
import type { FrameReport } from '../../src/sender/stats/frame-report.js';
import { EncodedTrack, type EncodedVideoInput } from '../../src/sender/tracks/encoded-track.js';
import { fixedRandom } from '../support/fixed-random.js';
import { codeOf, SenderHarness } from './sender-harness.js';

let harness: SenderHarness;

beforeEach(async () => {
  harness = new SenderHarness();
  await harness.sender.addEncodedVideoTrack({ id: 'thermal', codec: 'h264', width: 640, height: 512 });
  await harness.sender.connect(harness.negotiate);
  await harness.settle();
});

afterEach(async () => {
  await harness.sender.close();
  expect(harness.clock.pendingTimers).toBe(0);
});

function chunk(overrides: Partial<EncodedVideoInput> = {}): EncodedVideoInput {
  const data = Uint8Array.of(0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21);
  return { data, type: 'key', timestamp: harness.clock.nowUs(), ...overrides };
}

describe('a pre-encoded track', () => {
  it('sends chunks at once, with their own times and types', async () => {
    const capturedUs = harness.clock.nowUs() - 20_000;
    harness.sender.sendEncodedFrame('thermal', chunk({ timestamp: capturedUs }));
    expect(harness.packetsOf('thermal').map(({ header }) => header.timestamp)).toEqual([
      rtpTimestamp(capturedUs, 90_000),
    ]);
    await harness.settle();
    expect(harness.reports).toMatchObject([
      { trackId: 'thermal', outcome: 'sent', type: 'key', sizeBytes: 8, packets: 1, timestamp: capturedUs },
    ]);
    expect(harness.sender.getTrackStats('thermal')).toMatchObject({
      codec: 'h264',
      frameWidth: 640,
      frameHeight: 512,
      framesEncoded: 1,
      keyFramesEncoded: 1,
      framesSent: 1,
      health: 'ok',
    });
    expect(harness.sender.getTrackStats('thermal').encoderImplementation).toBeUndefined();
  });

  it('copies the bytes before it returns: they may be overwritten at once', () => {
    const data = Uint8Array.of(0, 0, 0, 1, 0x65, 1, 2, 3);
    harness.sender.sendEncodedFrame('thermal', chunk({ data }));
    data.fill(0xff);
    expect([...(harness.packetsOf('thermal')[0]?.payload ?? [])]).toEqual([0x65, 1, 2, 3]);
  });

  it.each([
    ['no data', { data: new Uint8Array(0) }],
    ['data that is no Uint8Array', { data: 'bytes' }],
    ['an unknown type', { type: 'idr' }],
    ['a fractional time', { timestamp: 0.5 }],
    ['a negative time', { timestamp: -1 }],
  ])('refuses %s with INVALID_FRAME and books nothing', async (_name, fault) => {
    const bad = chunk(fault as Partial<EncodedVideoInput>);
    expect(() => harness.sender.sendEncodedFrame('thermal', bad)).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME', context: { trackId: 'thermal' } }),
    );
    await harness.settle();
    expect(harness.reports).toEqual([]);
    expect(harness.sender.getTrackStats('thermal').frames).toBe(0);
  });

  it('reports bytes that are no bitstream as lost, tells the caller, and asks for a key frame', async () => {
    const wishes: unknown[] = [];
    harness.sender.on('keyFrameRequest', (wish) => void wishes.push(wish));
    const data = Uint8Array.of(1, 2, 3);
    expect(() => harness.sender.sendEncodedFrame('thermal', chunk({ data }))).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME' }),
    );
    await harness.settle();
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'encode-failed' }]);
    expect(wishes).toEqual([{ trackId: 'thermal' }]);
  });

  it('reports what it cannot send, and why', async () => {
    const { sender } = harness;
    const timestamp = harness.clock.nowUs();
    sender.sendEncodedFrame('thermal', chunk({ timestamp }));
    sender.sendEncodedFrame('thermal', chunk({ timestamp }));
    harness.network.last.become('disconnected');
    sender.sendEncodedFrame('thermal', chunk({ timestamp: timestamp + 1 }));
    await harness.addTracks('front');
    await sender.setBitrateAllocation({ front: 1 });
    sender.sendEncodedFrame('thermal', chunk({ timestamp: timestamp + 2 }));
    await harness.settle();
    expect(harness.reports.map((report) => (report.outcome === 'sent' ? 'sent' : report.reason))).toEqual([
      ...['sent', 'out-of-order', 'not-connected', 'paused'],
    ]);
  });

  it('hands wishes for key frames on to its owner: of the application, of the peer, and on reconnect', async () => {
    const wishes: unknown[] = [];
    harness.sender.on('keyFrameRequest', (wish) => void wishes.push(wish));
    harness.sender.forceKeyFrame('thermal');
    await harness.settle();
    harness.network.last.observer.rtcp(writePli(1, harness.sender.getTrackStats('thermal').ssrc));
    await harness.settle();
    await harness.sender.connect(harness.negotiate);
    await harness.settle();
    expect(wishes).toHaveLength(3);
  });

  it('takes no raw frames, and a camera takes no chunks', async () => {
    await harness.addTracks('front');
    const wrong = expect.objectContaining({ code: 'WRONG_TRACK_KIND' });
    expect(() => harness.sender.sendFrame('thermal', harness.frame())).toThrow(wrong);
    expect(() => harness.sender.sendEncodedFrame('front', chunk())).toThrow(wrong);
    expect(await codeOf(harness.sender.recreateEncoder('thermal'))).toBe('WRONG_TRACK_KIND');
  });
});

describe('a stopped track', () => {
  it('refuses what still reaches it by a pinned handle, and says so', async () => {
    const { clock } = harness;
    const reports: FrameReport[] = [];
    const track = new EncodedTrack({
      handle: { id: 'thermal', generation: 1 },
      codec: 'h264',
      stereo: false,
      frameSize: undefined,
      rtp: new OutboundRtp({ codec: 'h264', ssrc: 1, clock, random: fixedRandom(0), path: new SendPath(clock) }),
      host: {
        clock,
        frameReported: (report) => void reports.push(report),
        frameEncoded: () => undefined,
        activityChanged: () => undefined,
        keyFrames: new KeyFramePacer(),
        late: new LateCompletions(),
        defer: () => undefined,
      },
      wishes: { targetChanged: () => undefined, keyFrameWanted: () => undefined },
    });
    await track.stop();
    track.accept(chunk());
    expect(reports).toMatchObject([{ outcome: 'dropped', reason: 'stopped' }]);
  });
});
