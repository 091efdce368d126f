import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_RESENT_SHARE } from '../../src/rtp/resend-budget.js';
import { writeNack, writePli } from '../../src/rtp/rtcp-write.js';
import { readOriginalSequence } from '../../src/rtp/rtx.js';
import { REPAIRED_FOR_US } from '../../src/sender/outbound/retransmitter.js';
import type { SentRtp } from '../support/fake-transport.js';
import { FeedbackPeer } from '../support/feedback-peer.js';
import { SenderHarness } from './sender-harness.js';

const MBPS = 1_000_000;
const FRAME_MS = 33;
const REPORT_EVERY_FRAMES = 2;

let harness: SenderHarness;
let peer: FeedbackPeer;

beforeEach(async () => {
  harness = new SenderHarness({
    congestionControl: 'goog-cc',
    startBitrateBps: 2 * MBPS,
    // No probes: their padding repeats packets as well.
    maxBitrateBps: 2 * MBPS,
    encoder: { chunkBytes: 3_000 },
  });
  harness.network.takesRtx = true;
  peer = new FeedbackPeer(harness.clock, harness.network, { capacityBps: 20 * MBPS, delayMs: 30 });
  await harness.connected('front');
  await film(30);
});

afterEach(async () => {
  await harness.sender.close();
  expect(harness.clock.pendingTimers).toBe(0);
  await harness.settle();
  harness.expectBalance();
});

/** Frames at 30 fps, and what the peer reports meanwhile. */
async function film(frames: number): Promise<void> {
  for (let frame = 1; frame <= frames; frame += 1) {
    await harness.send('front', FRAME_MS);
    if (frame % REPORT_EVERY_FRAMES === 0) peer.report();
  }
}

const isRepetition = ({ header }: SentRtp) => header.ssrc === harness.sender.getTrackStats('front').rtxSsrc;

/** How often each packet was sent again, by its number. */
function repetitions(): Map<number, number> {
  const times = new Map<number, number>();
  for (const packet of harness.network.last.rtp.filter(isRepetition)) {
    const original = readOriginalSequence(packet.payload) ?? -1;
    times.set(original, (times.get(original) ?? 0) + 1);
  }
  return times;
}

/** Numbers of what was sent for the first time since so many packets. */
function mediaSince(before: number): number[] {
  return harness.network.last.rtp
    .slice(before)
    .filter((packet) => !isRepetition(packet))
    .map(({ header }) => header.sequenceNumber);
}

/** Loses the next packet of media, and its repetitions as long as they are wanted to be; returns its number. */
function loseNext(isRepetitionLost: (times: number) => boolean): { number: number | undefined } {
  const lost: { number: number | undefined } = { number: undefined };
  let times = 0;
  peer.loses = (packet) => {
    if (isRepetition(packet)) {
      if (readOriginalSequence(packet.payload) !== lost.number) return false;
      times += 1;
      return isRepetitionLost(times);
    }
    if (lost.number !== undefined) return false;
    lost.number = packet.header.sequenceNumber;
    return true;
  };
  return lost;
}

/** A repetition has to be known to be reported before the loss of others counts. */
async function hearOfARepetition(): Promise<void> {
  loseNext(() => false);
  await film(10);
}

describe('a packet that feedback tells was lost', () => {
  it('is sent again unasked, once', async () => {
    const lost = loseNext(() => false);
    await film(15);
    expect([...repetitions()]).toEqual([[lost.number, 1]]);
    expect(harness.sender.getTrackStats('front')).toMatchObject({ retransmittedPacketsSent: 1, nackCount: 0 });
  });

  it('is sent again as often as its repetitions are lost, until one arrives', async () => {
    await hearOfARepetition();
    const { keyFramesEncoded } = harness.sender.getTrackStats('front');
    const lost = loseNext((times) => times < 4);
    await film(30);
    // Four, and what was doubled meanwhile.
    expect(repetitions().get(lost.number ?? -1)).toBeGreaterThanOrEqual(4);
    expect(repetitions().get(lost.number ?? -1)).toBeLessThanOrEqual(8);
    expect(harness.sender.getTrackStats('front').keyFramesEncoded).toBe(keyFramesEncoded);
  });

  it('is given up for a key frame when it has become too old', async () => {
    await hearOfARepetition();
    const { keyFramesEncoded } = harness.sender.getTrackStats('front');
    const fromUs = harness.clock.nowUs();
    const lost = loseNext(() => true);
    await film(40);
    const keyFrame = harness.reportsOf('front').find((report) => {
      return report.outcome === 'sent' && report.type === 'key' && report.timestamp > fromUs;
    });
    expect((keyFrame?.timestamp ?? 0) - fromUs).toBeGreaterThan(REPAIRED_FOR_US);
    expect((keyFrame?.timestamp ?? 0) - fromUs).toBeLessThan(REPAIRED_FOR_US + 300_000);
    expect(harness.sender.getTrackStats('front').keyFramesEncoded).toBe(keyFramesEncoded + 1);
    const before = repetitions().get(lost.number ?? -1);
    await film(30);
    expect(repetitions().get(lost.number ?? -1)).toBe(before);
  });

  it('is sent again for a NACK that crosses with it, since the peer may have dropped what it had not asked for, but not unasked after a NACK', async () => {
    const lost = loseNext(() => false);
    const { ssrc } = harness.sender.getTrackStats('front');
    const ask = () => harness.network.last.observer.rtcp(writeNack(1, ssrc, [lost.number ?? 0]));
    while (repetitions().size === 0) await film(REPORT_EVERY_FRAMES);
    ask();
    ask();
    expect(repetitions().get(lost.number ?? -1)).toBe(2);
    const next = loseNext(() => false);
    await film(1);
    harness.network.last.observer.rtcp(writeNack(1, ssrc, [next.number ?? 0]));
    await film(20);
    expect(repetitions().get(next.number ?? -1)).toBe(1);
  });

  it('is not sent again before the peer has had time to ask', async () => {
    const lost = loseNext(() => false);
    const before = harness.clock.nowUs();
    while (repetitions().size === 0) await film(REPORT_EVERY_FRAMES);
    expect(repetitions().get(lost.number ?? -1)).toBe(1);
    // It notices the gap by the next packet, and asks by the one of the next frame.
    expect(harness.clock.nowUs() - before).toBeGreaterThanOrEqual(2 * FRAME_MS * 1000);
  });

  it('is not needed any more once a key frame was sent after it', async () => {
    const lost = loseNext(() => false);
    await harness.send('front', FRAME_MS);
    harness.network.last.observer.rtcp(writePli(1, harness.sender.getTrackStats('front').ssrc));
    await harness.send('front', FRAME_MS);
    await film(20);
    expect(repetitions().get(lost.number ?? -1)).toBeUndefined();
  });
});

describe('a peer that reports repetitions as lost, all of them', () => {
  it('is not sent them over and over, nor a key frame', async () => {
    const { keyFramesEncoded } = harness.sender.getTrackStats('front');
    const lost = loseNext(() => true);
    await film(60);
    expect(repetitions().get(lost.number ?? -1)).toBe(1);
    expect(harness.sender.getTrackStats('front').keyFramesEncoded).toBe(keyFramesEncoded);
  });
});

describe('packets of which nothing was reported', () => {
  /** Feedback of a time in which nothing is lost does not come. */
  async function loseFeedback(): Promise<number[]> {
    peer.loses = undefined;
    const before = harness.network.last.rtp.length;
    await harness.send('front', FRAME_MS);
    await harness.clock.advance(40);
    peer.report({ isLost: true });
    const unreported = mediaSince(before);
    await film(10);
    return unreported;
  }

  it('are taken for arrived where hardly anything is lost', async () => {
    await loseFeedback();
    expect([...repetitions()]).toEqual([]);
  });

  it('are sent again where much is lost, as far as a part of the budget allows', async () => {
    let count = 0;
    peer.loses = () => {
      count += 1;
      return count % 10 === 0;
    };
    await film(60);
    const before = repetitions();
    const unreported = await loseFeedback();
    expect(unreported.length).toBeGreaterThan(0);
    for (const number of unreported) expect(repetitions().get(number)).toBe((before.get(number) ?? 0) + 1);
  });
});

describe('a blackout', () => {
  it('is not followed by everything that was lost in it', async () => {
    await hearOfARepetition();
    const repeatedBefore = harness.sender.getTrackStats('front').retransmittedBytesSent;
    const before = harness.network.last.rtp.length;
    peer.loses = () => true;
    await film(12);
    peer.loses = undefined;
    await film(30);
    const { retransmittedBytesSent } = harness.sender.getTrackStats('front');
    const mediaBytes = harness.network.last.rtp
      .slice(before)
      .reduce((sum, packet) => sum + (isRepetition(packet) ? 0 : packet.payload.length), 0);
    expect(retransmittedBytesSent - repeatedBefore).toBeLessThan(MAX_RESENT_SHARE * mediaBytes);
  });
});
