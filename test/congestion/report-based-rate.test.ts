import { describe, expect, it } from 'vitest';
import { ReportBasedRate } from '../../src/congestion/report-based-rate.js';

const SECOND = 1_000_000;
const bounds = { startBps: 2_000_000, minBps: 50_000, maxBps: 1_000_000 };

/** Sends what it may, and gets a report each second. */
function run(
  rate: ReportBasedRate,
  seconds: number,
  { lossShare = 0, rttUs, share = 1 }: { lossShare?: number; rttUs?: number; share?: number } = {},
  fromS = 0,
): number {
  for (let second = fromS; second < fromS + seconds; second += 1) {
    const packets = Math.ceil((share * rate.bps) / 8 / 1_000);
    for (let index = 0; index < packets; index += 1) rate.sent(1_000, (second + index / packets) * SECOND);
    rate.report({ lossShare, rttUs }, (second + 1) * SECOND);
  }
  return rate.bps;
}

describe('ReportBasedRate', () => {
  it('begins at 300 kbit/s, or at the start rate if that is less', () => {
    expect(new ReportBasedRate(bounds).bps).toBe(300_000);
    expect(new ReportBasedRate({ ...bounds, startBps: 100_000 }).bps).toBe(100_000);
  });

  it('grows by 8 % in a second while up to 2 % are lost, up to its maximum', () => {
    const rate = new ReportBasedRate(bounds);
    expect(run(rate, 11, { lossShare: 0.02 })).toBeCloseTo(300_000 * 1.08 ** 10, -2);
    expect(run(rate, 30, {}, 11)).toBe(1_000_000);
  });

  it('grows no more for a report that comes late', () => {
    const rate = new ReportBasedRate(bounds);
    run(rate, 1);
    const before = rate.bps;
    expect(run(rate, 1, {}, 100)).toBeCloseTo(1.08 * before, 6);
  });

  it('does not run ahead of what is sent', () => {
    expect(run(new ReportBasedRate(bounds), 30, { share: 0.1 })).toBe(300_000);
  });

  it('stays where it is between 2 and 10 %', () => {
    expect(run(new ReportBasedRate(bounds), 30, { lossShare: 0.1 })).toBe(300_000);
  });

  it('falls by half the loss beyond 10 %, down to its minimum', () => {
    const rate = new ReportBasedRate(bounds);
    expect(run(rate, 1, { lossShare: 0.2 })).toBeCloseTo(270_000, 6);
    expect(run(rate, 60, { lossShare: 0.5 }, 1)).toBe(50_000);
  });

  it('falls once for the reports of one round trip and 300 ms', () => {
    const rate = new ReportBasedRate(bounds);
    const report = { lossShare: 0.2, rttUs: 100_000 };
    rate.report(report, SECOND);
    rate.report(report, SECOND + 399_999);
    expect(rate.bps).toBeCloseTo(270_000, 6);
    rate.report(report, SECOND + 400_000);
    expect(rate.bps).toBeCloseTo(243_000, 6);
  });

  it('falls by 15 % while the round trip is more than 100 ms above its least', () => {
    const rate = new ReportBasedRate(bounds);
    rate.report({ lossShare: 0, rttUs: 50_000 }, SECOND);
    rate.report({ lossShare: 0, rttUs: 150_000 }, 2 * SECOND);
    expect(rate.bps).toBe(300_000);
    rate.report({ lossShare: 0, rttUs: 150_001 }, 3 * SECOND);
    expect(rate.bps).toBeCloseTo(255_000, 6);
  });
});
