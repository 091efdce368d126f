import { describe, expect, it } from 'vitest';
import { GoogCc } from '../../src/congestion/goog-cc.js';
import type { NetworkDecision } from '../../src/congestion/network-controller.js';
import { SentPackets } from '../../src/congestion/sent-packets.js';

const SECOND = 1_000_000;
const bounds = { startBps: 1_000_000, minBps: 50_000, maxBps: 5_000_000 };

interface Path {
  /** One way, beyond the 50 ms that every packet takes. */
  readonly queueUs?: number;
  readonly lossShare?: number;
  /** Of the receiver, on top of our time. */
  readonly clockUs?: number;
  readonly isSilent?: boolean;
}

/** Sends at 90 % of the target for a while, with feedback every 50 ms; the last decision. */
class Driver {
  readonly controller = new GoogCc(bounds);
  readonly #sent = new SentPackets();
  #sequence = 0;
  #owed = 0;
  nowUs = 10 * SECOND;

  run(seconds: number, path: Path = {}): NetworkDecision {
    const endUs = this.nowUs + seconds * SECOND;
    let decision = this.controller.onTick(this.nowUs);
    while (this.nowUs < endUs) {
      this.#message(decision.targetBps, path);
      this.nowUs += 50_000;
      decision = this.controller.onTick(this.nowUs);
    }
    return decision;
  }

  #message(targetBps: number, { queueUs = 0, lossShare = 0, clockUs = 0, isSilent = false }: Path): void {
    const base = this.#sequence;
    const count = Math.max(2, Math.round((0.9 * targetBps * 0.05) / 8 / 1_000));
    const arrivals: (number | undefined)[] = [];
    for (let index = 0; index < count; index += 1) {
      const sentAtUs = this.nowUs + (index * 50_000) / count;
      this.controller.onPacketSent(this.#sent.sent(this.#sequence & 0xffff, 1_000, sentAtUs));
      this.#sequence += 1;
      this.#owed += lossShare;
      if (this.#owed >= 1) {
        this.#owed -= 1;
        arrivals.push(undefined);
      } else arrivals.push(sentAtUs + 50_000 + queueUs + clockUs);
    }
    if (isSilent) return;
    const referenceTicks = Math.floor((this.nowUs + clockUs) / 64_000);
    const arrivalsUs = arrivals.map((each) => (each === undefined ? undefined : each - referenceTicks * 64_000));
    const atUs = this.nowUs + 120_000 + queueUs;
    const report = this.#sent.feedback(
      { baseSequence: base & 0xffff, referenceTicks: referenceTicks & 0xffffff, feedbackCount: 0, arrivalsUs },
      atUs,
    );
    if (report !== undefined) this.controller.onFeedback({ ...report, inFlightBytes: 0 });
  }
}

describe('GoogCc', () => {
  it('starts at its start rate, with probes of three and six times that, bounded', () => {
    const decision = new GoogCc(bounds).onTick(0);
    expect(decision).toMatchObject({
      targetBps: 1_000_000,
      pacingBps: expect.closeTo(1_100_000, 3),
      limitedBy: 'delay',
    });
    // 1 Mbit/s for 200 + 100 + 60 ms, and half as much again.
    expect(decision.windowBytes).toBeCloseTo(67_500, 6);
    expect(decision.probes.map(({ targetBps }) => targetBps)).toEqual([3_000_000, 5_000_000]);
  });

  it('tells of each probe once', () => {
    const controller = new GoogCc(bounds);
    controller.onTick(0);
    expect(controller.onTick(25_000).probes).toEqual([]);
  });

  it('grows on a link without a queue', () => {
    expect(new Driver().run(5).targetBps).toBeGreaterThan(1_300_000);
  });

  it('goes no further than its maximum, and says so', () => {
    const decision = new Driver().run(25);
    expect(decision).toMatchObject({ targetBps: 5_000_000, limitedBy: 'maximum' });
  });

  it('drains a queue, and says so', () => {
    const driver = new Driver();
    const before = driver.run(3).targetBps;
    const decision = driver.run(0.2, { queueUs: 60_000 });
    expect(decision.limitedBy).toBe('queue');
    expect(decision.targetBps).toBeLessThan(0.8 * before);
    expect(decision.probes).toEqual([]);
    expect(driver.run(0.5).limitedBy).toBe('delay');
  });

  it('gives way to losses, and says so', () => {
    const driver = new Driver();
    driver.run(2);
    const decision = driver.run(6, { lossShare: 0.3 });
    expect(decision.limitedBy).toBe('loss');
    expect(decision.targetBps).toBeLessThan(700_000);
  });

  it('keeps to what the receiver allows, until it says nothing of it any more', () => {
    const driver = new Driver();
    driver.controller.onReceiverLimit(400_000);
    expect(driver.controller.onTick(0)).toMatchObject({ targetBps: 400_000, limitedBy: 'receiver' });
    driver.controller.onReceiverLimit(0);
    expect(driver.controller.onTick(0).targetBps).toBe(bounds.minBps);
    driver.controller.onReceiverLimit(undefined);
    expect(driver.controller.onTick(0)).toMatchObject({ targetBps: 1_000_000, limitedBy: 'delay' });
  });

  it('halves its rate with each half second of silence, and comes back with the next feedback', () => {
    const driver = new Driver();
    const before = driver.run(3).targetBps;
    expect(driver.run(0.4, { isSilent: true }).limitedBy).not.toBe('silence');
    expect(driver.run(0.2, { isSilent: true })).toMatchObject({
      targetBps: expect.closeTo(before / 2, -4),
      limitedBy: 'silence',
    });
    expect(driver.run(0.5, { isSilent: true }).targetBps).toBeCloseTo(before / 4, -4);
    expect(driver.run(30, { isSilent: true }).targetBps).toBe(bounds.minBps);
    const after = driver.run(0.1);
    expect(after.limitedBy).not.toBe('silence');
    expect(after.targetBps).toBeGreaterThan(0.4 * before);
  });

  it('halves its rate while feedback tells that nothing arrives', () => {
    const driver = new Driver();
    const before = driver.run(3).targetBps;
    const { targetBps, limitedBy } = driver.run(1.1, { lossShare: 1 });
    expect(limitedBy).toBe('silence');
    expect(targetBps).toBeLessThan(0.3 * before);
  });

  it.each([{ isSilent: true }, { lossShare: 1 }])('is back at once after the link was down: %j', (outage) => {
    const driver = new Driver();
    const before = driver.run(3).targetBps;
    driver.run(2, outage);
    expect(driver.run(0.2).targetBps).toBeGreaterThan(0.8 * before);
  });

  it('leaves the window as it is in silence: what was sent into it counts as in flight', () => {
    const driver = new Driver();
    const { windowBytes } = driver.run(3);
    const silent = driver.run(2, { isSilent: true });
    expect(silent.limitedBy).toBe('silence');
    expect(silent.windowBytes).toBe(windowBytes);
  });

  it('waits longer for a receiver that seldom gives feedback, of which two messages may be lost', () => {
    const driver = new Driver();
    for (let message = 0; message < 30; message += 1) {
      driver.run(0.3, { isSilent: true });
      driver.run(0.05);
    }
    expect(driver.run(0.9, { isSilent: true }).limitedBy).not.toBe('silence');
    expect(driver.run(0.3, { isSilent: true }).limitedBy).toBe('silence');
  });

  it('goes by receiver reports once there has been no feedback for a second, and by feedback as soon as it comes', () => {
    const driver = new Driver();
    expect(driver.run(0.6, { isSilent: true })).toMatchObject({ targetBps: 500_000, limitedBy: 'silence' });
    const decision = driver.run(30, { isSilent: true });
    expect(decision).toMatchObject({ targetBps: 300_000, limitedBy: 'reports', probes: [] });
    for (let second = 0; second < 5; second += 1) {
      driver.controller.onReceiverReport({ lossShare: 0, rttUs: undefined }, driver.nowUs);
      driver.run(1, { isSilent: true });
    }
    expect(driver.controller.onTick(driver.nowUs).targetBps).toBeCloseTo(300_000 * 1.08 ** 4, -2);
    // A pause does not make the start rate credible again.
    driver.nowUs += 5 * SECOND;
    expect(driver.run(0.1, { isSilent: true }).limitedBy).toBe('reports');
    expect(driver.run(0.1)).toMatchObject({ limitedBy: 'delay' });
    expect(driver.run(3, { isSilent: true }).limitedBy).toBe('silence');
  });

  it('asks for feedback again on another route', () => {
    const driver = new Driver();
    driver.run(5, { isSilent: true });
    driver.controller.onRouteChanged(400_000);
    expect(driver.controller.onTick(driver.nowUs)).toMatchObject({ targetBps: 400_000, limitedBy: 'delay' });
    expect(driver.run(5, { isSilent: true })).toMatchObject({ targetBps: 300_000, limitedBy: 'reports' });
  });

  it('takes a pause of its own for no silence, though the last packets were never reported', () => {
    const driver = new Driver();
    const before = driver.run(3).targetBps;
    driver.run(0.2, { isSilent: true });
    driver.nowUs += 20 * SECOND;
    // One step for what is due, not forty.
    expect(driver.controller.onTick(driver.nowUs).targetBps).toBeGreaterThan(0.49 * before);
    const sent = new SentPackets().sent(0, 1_000, driver.nowUs);
    driver.controller.onPacketSent(sent);
    expect(driver.controller.onTick(driver.nowUs + 100_000)).toMatchObject({ limitedBy: 'delay' });
  });

  it('says what will be there again when a queue is drained and feedback is back', () => {
    const driver = new Driver();
    const before = driver.run(3);
    expect(before.sustainedBps).toBe(before.targetBps);
    const draining = driver.run(0.3, { queueUs: 100_000 });
    expect(draining.limitedBy).toBe('queue');
    expect(draining.sustainedBps).toBeGreaterThan(1.5 * draining.targetBps);
    const other = new Driver();
    other.run(3);
    const silent = other.run(0.7, { isSilent: true });
    expect(silent.limitedBy).toBe('silence');
    expect(silent.sustainedBps).toBeGreaterThan(1.9 * silent.targetBps);
  });

  it('notices a silent receiver though it sends in bursts with pauses between them', () => {
    const driver = new Driver();
    const before = driver.run(3).targetBps;
    for (let burst = 0; burst < 5; burst += 1) {
      driver.run(0.25, { isSilent: true });
      driver.nowUs += SECOND;
    }
    expect(driver.controller.onTick(driver.nowUs)).toMatchObject({ limitedBy: 'silence' });
    expect(driver.run(0.05, { isSilent: true }).targetBps).toBeLessThanOrEqual(before / 4);
  });

  it('goes on when the clock of the receiver is set anew, forwards or backwards', () => {
    for (const clockUs of [3_600 * SECOND, -3_600 * SECOND]) {
      const driver = new Driver();
      driver.nowUs += 10_000 * SECOND;
      const before = driver.run(3).targetBps;
      const after = driver.run(3, { clockUs });
      expect(after.limitedBy).toBe('delay');
      expect(after.targetBps).toBeGreaterThan(before);
      // What arrives is measured on the new clock: growth is not bounded by what arrived on the old one.
      expect(driver.run(10, { clockUs }).targetBps).toBeGreaterThan(1.5 * before);
    }
  });

  it('forgets everything of the former route', () => {
    const driver = new Driver();
    driver.run(2);
    driver.run(6, { lossShare: 0.3 });
    driver.controller.onReceiverLimit(100_000);
    driver.controller.onRouteChanged(2_000_000);
    const decision = driver.controller.onTick(driver.nowUs);
    expect(decision).toMatchObject({ targetBps: 2_000_000, limitedBy: 'delay' });
    expect(decision.probes.map(({ targetBps }) => targetBps)).toEqual([5_000_000, 5_000_000]);
  });

  it('slows encoders down while more is in flight than the window holds', () => {
    const driver = new Driver();
    const { targetBps, windowBytes } = driver.run(3);
    const report = { atUs: driver.nowUs, packets: [], clockJumped: false };
    driver.controller.onFeedback({ ...report, inFlightBytes: 2 * windowBytes });
    expect(driver.controller.onTick(driver.nowUs).targetBps).toBeLessThan(0.91 * targetBps * 1.01);
    for (let index = 0; index < 100; index += 1)
      driver.controller.onFeedback({ ...report, inFlightBytes: 9 * windowBytes });
    driver.controller.onReceiverLimit(60_000);
    expect(driver.controller.onTick(driver.nowUs).targetBps).toBe(bounds.minBps);
  });
});
