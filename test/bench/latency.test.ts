import { describe, expect, it } from 'vitest';
import { stagesOf } from '../../src/bench/latency.js';
import { rtpTimestamp } from '../../src/rtp/media-time.js';
import type { FrameReport } from '../../src/sender/stats/frame-report.js';

const CAPTURED_US = 1_700_000_000_000_000;

function sent(trackId: string, timestamp = CAPTURED_US): FrameReport {
  return {
    trackId,
    timestamp,
    acceptedAtUs: timestamp + 1000,
    dequeuedAtUs: timestamp + 3000,
    encodedAtUs: timestamp + 10_000,
    sentAtUs: timestamp + 15_000,
    outcome: 'sent',
    type: 'delta',
    sizeBytes: 1000,
    packets: 1,
  };
}

function arrival(trackId: string, atUs: number, timestamp = CAPTURED_US) {
  return { trackId, rtpTimestamp: rtpTimestamp(timestamp, 90_000), atUs };
}

describe('the stages of a frame', () => {
  it('are told of the very frame that has arrived, from its capture on', () => {
    const reports = [sent('front'), sent('rear')];
    const arrivals = [arrival('rear', CAPTURED_US + 90_000), arrival('front', CAPTURED_US + 15_500)];
    expect(stagesOf(reports, arrivals)).toEqual([
      { mailbox: 2, encode: 7, pacer: 5, network: 0.5, arrived: 15.5 },
      { mailbox: 2, encode: 7, pacer: 5, network: 75, arrived: 90 },
    ]);
  });

  it('are not told of frames that were dropped, or have not arrived', () => {
    const { trackId, timestamp, acceptedAtUs } = sent('front', CAPTURED_US + 1);
    const dropped: FrameReport = { trackId, timestamp, acceptedAtUs, outcome: 'dropped', reason: 'replaced' };
    const late = sent('front', CAPTURED_US + 33_333);
    expect(stagesOf([dropped, late], [arrival('front', CAPTURED_US + 50_000, CAPTURED_US + 1)])).toEqual([]);
  });
});
