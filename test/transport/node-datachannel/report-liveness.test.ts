import { describe, expect, it } from 'vitest';
import { ReportLiveness } from '../../../src/transport/node-datachannel/report-liveness.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function start() {
  const clock = new VirtualClock();
  const told: boolean[] = [];
  const liveness = new ReportLiveness({ clock, changed: () => void told.push(liveness.isSilent) });
  liveness.start();
  /** Media for so long, with a report each interval. */
  const run = async (ms: number, reportEachMs = Number.POSITIVE_INFINITY) => {
    let reportInMs = reportEachMs;
    for (let passedMs = 0; passedMs < ms; passedMs += 50) {
      liveness.sent();
      await clock.advance(50);
      reportInMs -= 50;
      if (reportInMs > 0) continue;
      liveness.heard();
      reportInMs = reportEachMs;
    }
  };
  return { clock, liveness, told, run };
}

describe('ReportLiveness', () => {
  it('notices after four seconds of media that a peer who reports often has fallen silent, and hears it again', async () => {
    const { liveness, told, run } = start();
    await run(5000, 100);
    await run(3900);
    expect(told).toEqual([]);
    await run(500);
    expect(told).toEqual([true]);
    liveness.heard();
    expect(told).toEqual([true, false]);
  });

  it('waits longer for a peer who reports seldom', async () => {
    const { told, run } = start();
    await run(30_000, 5000);
    await run(14_000);
    expect(told).toEqual([]);
    await run(1500);
    expect(told).toEqual([true]);
  });

  it('judges nobody while no media is sent', async () => {
    const { clock, told, run } = start();
    await run(2000, 100);
    await clock.advance(60_000);
    expect(told).toEqual([]);
    await run(3500);
    expect(told).toEqual([]);
  });

  it('judges nobody who has never reported', async () => {
    const { told, run } = start();
    await run(60_000);
    expect(told).toEqual([]);
  });

  it('does not count the time in which this process did not run', async () => {
    const clock = new VirtualClock();
    let timer = (): void => undefined;
    let stepUs = 0;
    const stalled = {
      nowUs: () => clock.nowUs() + stepUs,
      wallUs: () => clock.wallUs(),
      setTimer: (_delayMs: number, callback: () => void) => {
        timer = callback;
        return { cancel: () => undefined };
      },
    };
    const liveness = new ReportLiveness({ clock: stalled, changed: () => undefined });
    liveness.start();
    liveness.heard();
    liveness.sent();
    stepUs = 60_000_000;
    timer();
    expect(liveness.isSilent).toBe(false);
  });

  it('tells nothing after it was stopped', async () => {
    const { clock, liveness, told, run } = start();
    await run(2000, 100);
    liveness.sent();
    liveness.stop();
    await clock.advance(60_000);
    expect(told).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
