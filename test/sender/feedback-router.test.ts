import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compactNtp, ntpTimestamp } from '../../src/rtp/media-time.js';
import type { ReportBlock } from '../../src/rtp/rtcp-packet.js';
import { writeCompound, writeFir, writeNack, writePli, writeReceiverReport } from '../../src/rtp/rtcp-write.js';
import { SenderHarness } from './sender-harness.js';

const PEER = 0x1234;

let harness: SenderHarness;
let ssrc: number;

beforeEach(async () => {
  harness = await new SenderHarness().connected('front', 'rear');
  ssrc = harness.sender.getTrackStats('front').ssrc;
});

afterEach(async () => {
  await harness.sender.close();
  expect(harness.encoders.violations).toEqual([]);
});

function receive(...packets: Uint8Array[]): void {
  harness.network.last.observer.rtcp(writeCompound(packets));
}

function counts(id: string): readonly number[] {
  const { pliCount, firCount, nackCount } = harness.sender.getTrackStats(id);
  return [pliCount, firCount, nackCount];
}

function block(overrides: Partial<ReportBlock> = {}): ReportBlock {
  return {
    ssrc,
    fractionLost: 64,
    cumulativeLost: 7,
    highestSequence: 1000,
    jitter: 900,
    lastSenderReport: 0,
    delaySinceLastSenderReport: 0,
    ...overrides,
  };
}

describe('feedback of the peer', () => {
  it('goes to the track whose SSRC it names, and to no other', () => {
    receive(writePli(PEER, ssrc), writeNack(PEER, ssrc, [1]), writeFir(PEER, [{ ssrc, sequenceNumber: 0 }]));
    expect(counts('front')).toEqual([1, 1, 1]);
    expect(counts('rear')).toEqual([0, 0, 0]);
  });

  it('about retransmissions is neither unknown nor taken for feedback about the media', async () => {
    harness.network.takesRtx = true;
    await harness.sender.connect(async () => 'answer');
    const { rtxSsrc = 0 } = harness.sender.getTrackStats('front');
    await harness.send('front');
    const [{ header } = { header: { sequenceNumber: 0 } }] = harness.packetsOf('front');
    receive(writeReceiverReport(PEER, [block({ ssrc: rtxSsrc })]), writeNack(PEER, rtxSsrc, [header.sequenceNumber]));
    expect(harness.sender.getStats().feedback.unknownSsrc).toBe(0);
    expect(harness.sender.getTrackStats('front')).toMatchObject({ nackCount: 0, retransmittedPacketsSent: 0 });
    expect(harness.sender.getTrackStats('front').remoteInbound).toBeUndefined();
    receive(writeNack(PEER, ssrc, [header.sequenceNumber]));
    expect(harness.sender.getTrackStats('front')).toMatchObject({ nackCount: 1, retransmittedPacketsSent: 1 });
    expect(harness.network.last.rtp.at(-1)?.header).toMatchObject({ ssrc: rtxSsrc, payloadType: 64 });
  });

  it('makes the next frame a key frame, one for a whole storm of requests, and the last request of a storm is met as well', async () => {
    await harness.send('front');
    for (let request = 0; request < 50; request += 1) receive(writePli(PEER, ssrc));
    const asked = await harness.send('front');
    for (let request = 0; request < 50; request += 1) {
      receive(writePli(PEER, ssrc));
      await harness.send('front', 10);
    }
    await harness.clock.advance(300);
    await harness.send('front');
    const [encoder] = harness.encoders.encoders;
    const keyFrames = encoder?.keyFrames ?? [];
    expect(keyFrames[1]).toBe(asked);
    const gaps = keyFrames.slice(2).map((at, index) => at - (keyFrames[index + 1] ?? 0));
    expect(gaps.length).toBeGreaterThan(0);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(290_000);
    expect(keyFrames.length).toBeLessThanOrEqual(4);
  });

  it('asked for all cameras at once gives them turns, so that no two key frames go out together', async () => {
    await harness.addTracks('left', 'right');
    const ids = ['front', 'rear', 'left', 'right'];
    const frameOfEach = async () => {
      for (const id of ids) harness.give(id);
      await harness.settle();
      await harness.clock.advance(33);
    };
    await frameOfEach();
    receive(...ids.map((id) => writePli(PEER, harness.sender.getTrackStats(id).ssrc)));
    for (let frame = 0; frame < 10; frame += 1) await frameOfEach();
    const asked = harness.encoders.encoders.map(({ keyFrames }) => keyFrames[1] ?? Number.NaN);
    expect(new Set(asked).size).toBe(4);
    expect(Math.max(...asked) - Math.min(...asked)).toBeLessThanOrEqual(200_000);
  });

  it('takes a repeated FIR for the request that it repeats, also when the numbers come round, and a new number for a new one', async () => {
    for (const sequenceNumber of [5, 5, 5, 6, 6, 5, 255, 0]) receive(writeFir(PEER, [{ ssrc, sequenceNumber }]));
    expect(counts('front')[1]).toBe(5);
  });

  it('keeps the numbers of requesters and streams apart', () => {
    const rear = harness.sender.getTrackStats('rear').ssrc;
    receive(writeFir(PEER, [{ ssrc, sequenceNumber: 5 }]));
    receive(writeFir(PEER + 1, [{ ssrc, sequenceNumber: 5 }]));
    receive(writeFir(PEER, [{ ssrc: rear, sequenceNumber: 5 }]));
    expect(counts('front')[1]).toBe(2);
    expect(counts('rear')[1]).toBe(1);
  });

  it('starts the numbers of a new peer anew', async () => {
    receive(writeFir(PEER, [{ ssrc, sequenceNumber: 5 }]));
    await harness.sender.connect(harness.negotiate);
    receive(writeFir(PEER, [{ ssrc, sequenceNumber: 5 }]));
    expect(counts('front')[1]).toBe(2);
  });

  it('with ever new requesters does not fill the memory: the oldest are forgotten', () => {
    for (let requester = 0; requester < 300; requester += 1)
      receive(writeFir(requester, [{ ssrc, sequenceNumber: 1 }]));
    receive(writeFir(299, [{ ssrc, sequenceNumber: 1 }]));
    expect(counts('front')[1]).toBe(300);
    receive(writeFir(0, [{ ssrc, sequenceNumber: 1 }]));
    expect(counts('front')[1]).toBe(301);
  });

  it('of several requests before the next frame makes one key frame', async () => {
    await harness.send('front');
    receive(writePli(PEER, ssrc), writePli(PEER, ssrc), writeFir(PEER, [{ ssrc, sequenceNumber: 9 }]));
    await harness.send('front');
    await harness.send('front');
    expect(harness.reports.map((report) => report.outcome === 'sent' && report.type)).toEqual(['key', 'key', 'delta']);
  });

  it('for a stream that is not ours, or not any more, is counted and changes nothing', async () => {
    receive(writePli(PEER, 1), writeNack(PEER, 2, [1, 2]), writeReceiverReport(PEER, [block({ ssrc: 3 })]));
    expect(harness.sender.getStats().feedback).toEqual({
      compoundsReceived: 1,
      compoundsMalformed: 0,
      unknownSsrc: 3,
      transportFeedbackMalformed: 0,
    });
    await harness.sender.removeTrack('front');
    receive(writePli(PEER, ssrc));
    expect(harness.sender.getStats().feedback.unknownSsrc).toBe(4);
  });

  it('that is malformed is used up to the fault, and counted', () => {
    receive(writePli(PEER, ssrc), Uint8Array.of(0x80, 200, 0xff, 0xff));
    expect(counts('front')[0]).toBe(1);
    expect(harness.sender.getStats().feedback.compoundsMalformed).toBe(1);
  });

  it('that is garbage never throws and never takes the sender down', async () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        harness.network.last.observer.rtcp(bytes);
      }),
    );
    await harness.send('front');
    expect(harness.reports.at(-1)).toMatchObject({ outcome: 'sent' });
  });
});

describe('a receiver report', () => {
  it('tells loss, jitter and, where it can be computed, the round trip', async () => {
    receive(writeReceiverReport(PEER, [block()]));
    expect(harness.sender.getTrackStats('front').remoteInbound).toEqual({
      timestamp: harness.clock.wallUs() / 1000,
      fractionLost: 0.25,
      packetsLost: 7,
      jitter: 0.01,
      totalRoundTripTime: 0,
      roundTripTimeMeasurements: 0,
    });
    await harness.send('front');
    await harness.clock.advance(1000);
    const sentNtp = compactNtp(ntpTimestamp(harness.clock.wallUs()));
    await harness.clock.advance(150);
    const reply = block({ lastSenderReport: sentNtp, delaySinceLastSenderReport: 0x10000 / 10 });
    receive(writeReceiverReport(PEER, [reply]));
    expect(harness.sender.getTrackStats('front').remoteInbound?.roundTripTime).toBeCloseTo(0.05, 3);
    expect(harness.sender.getTrackStats('rear').remoteInbound).toBeUndefined();
  });

  it('of the old peer is forgotten with it', async () => {
    receive(writeReceiverReport(PEER, [block()]));
    await harness.sender.connect(harness.negotiate);
    expect(harness.sender.getTrackStats('front').remoteInbound).toBeUndefined();
  });
});
