import { describe, expect, it } from 'vitest';
import { compactNtp, ntpTimestamp } from '../../src/rtp/media-time.js';
import type { ReportBlock } from '../../src/rtp/rtcp-packet.js';
import { ReceiverReports } from '../../src/sender/outbound/receiver-reports.js';

const START_US = 1_700_000_000_000_000;

function block(overrides: Partial<ReportBlock> = {}): ReportBlock {
  return {
    ssrc: 1,
    fractionLost: 64,
    cumulativeLost: -3,
    highestSequence: 1000,
    jitter: 900,
    lastSenderReport: 0,
    delaySinceLastSenderReport: 0,
    ...overrides,
  };
}

function answering(sentUs: number, delayUs = 0): ReportBlock {
  const lastSenderReport = compactNtp(ntpTimestamp(sentUs));
  return block({ lastSenderReport, delaySinceLastSenderReport: Math.round((delayUs * 0x1_0000) / 1e6) });
}

describe('receiver reports', () => {
  it('tell loss and jitter before any round trip can be measured', () => {
    const reports = new ReceiverReports(90_000);
    expect(reports.latest).toBeUndefined();
    reports.receive(block(), START_US);
    expect(reports.latest).toEqual({
      timestamp: START_US / 1000,
      fractionLost: 0.25,
      packetsLost: -3,
      jitter: 0.01,
      totalRoundTripTime: 0,
      roundTripTimeMeasurements: 0,
    });
  });

  it('tell the newest round trip, the sum and the number of all', () => {
    const reports = new ReceiverReports(90_000);
    reports.senderReported(START_US);
    reports.receive(answering(START_US, 500_000), START_US + 540_000);
    reports.senderReported(START_US + 1_000_000);
    reports.receive(answering(START_US + 1_000_000, 100_000), START_US + 1_120_000);
    expect(reports.latest?.roundTripTime).toBeCloseTo(0.02, 4);
    expect(reports.latest?.totalRoundTripTime).toBeCloseTo(0.06, 4);
    expect(reports.latest?.roundTripTimeMeasurements).toBe(2);
  });

  it('that answer a report which was never sent measure nothing', () => {
    const reports = new ReceiverReports(90_000);
    reports.receive(answering(START_US - 1_000), START_US);
    expect(reports.roundTripUs).toBeUndefined();
    reports.senderReported(START_US);
    reports.receive(answering(START_US - 3_600_000_000), START_US + 40_000);
    expect(reports.roundTripUs).toBeUndefined();
    reports.receive(answering(START_US), START_US + 40_000);
    expect(reports.roundTripUs).toBeGreaterThan(39_900);
  });
});
