import { describe, expect, it } from 'vitest';
import type { NetworkController, NetworkDecision } from '../../src/congestion/network-controller.js';
import type { PacedPacket } from '../../src/congestion/pacer.js';
import type { ProbeCluster } from '../../src/congestion/probe-estimator.js';
import type { ReceiverReport } from '../../src/congestion/report-based-rate.js';
import { SendSide } from '../../src/congestion/send-side.js';
import type { FeedbackReport, SentPacket } from '../../src/congestion/sent-packets.js';

const START_US = 1_000_000;
const MS = 1_000;

/** Decides what it is told to, and notes what it hears. */
class Scripted implements NetworkController {
  targetBps = 1_000_000;
  windowBytes = Number.POSITIVE_INFINITY;
  probes: ProbeCluster[] = [];
  readonly sent: SentPacket[] = [];
  readonly reports: FeedbackReport[] = [];
  readonly receiverReports: ReceiverReport[] = [];
  readonly ticksUs: number[] = [];
  readonly routes: number[] = [];

  onPacketSent(packet: SentPacket): void {
    this.sent.push(packet);
  }

  onFeedback(report: FeedbackReport): void {
    this.reports.push(report);
  }

  onReceiverLimit(): void {}

  onReceiverReport(report: ReceiverReport): void {
    this.receiverReports.push(report);
  }

  onRouteChanged(startBps: number): void {
    this.routes.push(startBps);
  }

  onTick(nowUs: number): NetworkDecision {
    this.ticksUs.push(nowUs);
    const { targetBps, windowBytes } = this;
    return {
      targetBps,
      sustainedBps: targetBps,
      pacingBps: targetBps,
      windowBytes,
      limitedBy: 'delay',
      probes: this.probes.splice(0),
    };
  }
}

/** 1 Mbit/s: 125 bytes take a millisecond. */
const MS_BYTES = 125;

function video(queueMs: number): PacedPacket {
  return { kind: 'video', ssrc: 1, priority: 0, sizeBytes: queueMs * MS_BYTES };
}

const SOUND: PacedPacket = { kind: 'audio', ssrc: 2, priority: 0, sizeBytes: MS_BYTES };

function begin() {
  const controller = new Scripted();
  return { controller, send: new SendSide<PacedPacket>(controller, START_US) };
}

function message(baseSequence: number, count: number) {
  return { baseSequence, referenceTicks: 1, feedbackCount: 0, arrivalsUs: Array.from({ length: count }, () => 0) };
}

describe('SendSide', () => {
  it('asks for a decision at once, every 25 ms and after each feedback', () => {
    const { controller, send } = begin();
    expect(send.nextWakeUs(START_US)).toBe(START_US + 25 * MS);
    send.wake(START_US + 24_999);
    send.wake(START_US + 25 * MS);
    send.sent(0, 100, START_US + 26 * MS);
    send.feedback(message(0, 1), START_US + 30 * MS);
    expect(controller.ticksUs).toEqual([START_US, START_US + 25 * MS, START_US + 30 * MS]);
    expect(send.nextWakeUs(START_US + 30 * MS)).toBe(START_US + 55 * MS);
  });

  it('tells the controller what was sent and what became of it, and nothing of garbage', () => {
    const { controller, send } = begin();
    send.sent(65_535, 100, START_US, 4);
    send.sent(0, 200, START_US + 1);
    send.feedback(message(500, 3), START_US + 50 * MS);
    expect(controller.reports).toEqual([]);
    send.feedback(message(65_535, 2), START_US + 50 * MS);
    expect(controller.sent.map(({ sequence, probeId }) => [sequence, probeId])).toEqual([
      [65_535, 4],
      [65_536, undefined],
    ]);
    expect(controller.reports.map(({ packets }) => packets.length)).toEqual([2]);
  });

  it('leaves media the whole target up to a queue of 100 ms, and then what leaves the queue half a second to drain', () => {
    const { send } = begin();
    send.enqueue(video(100), START_US);
    expect(send.mediaTargetBps).toBe(1_000_000);
    send.enqueue(video(1), START_US);
    // 101 of 500 ms.
    expect(send.mediaTargetBps).toBeCloseTo(798_000, 6);
    send.enqueue(video(1_000), START_US);
    expect(send.mediaTargetBps).toBeCloseTo(100_000, 6);
  });

  it('says that frames had better be skipped beyond a queue of 150 ms', () => {
    const { send } = begin();
    send.enqueue(video(150), START_US);
    expect(send.mustSkipFrames(0)).toBe(false);
    send.enqueue(video(1), START_US);
    expect(send.mustSkipFrames(0)).toBe(true);
  });

  it('skips frames while more than one and a half times the window are in flight: they would wait for feedback', () => {
    const { controller, send } = begin();
    controller.windowBytes = 1_000;
    send.wake(START_US + 25 * MS);
    send.sent(0, 1_500, START_US + 25 * MS);
    expect(send.mustSkipFrames(0)).toBe(false);
    send.sent(1, 1, START_US + 25 * MS);
    expect(send.mustSkipFrames(0)).toBe(true);
    send.feedback(message(0, 2), START_US + 30 * MS);
    expect(send.mustSkipFrames(0)).toBe(false);
  });

  it('sends nothing again that would wait for 100 ms behind what goes before it', () => {
    const { send } = begin();
    const lost = (queueMs: number): PacedPacket => ({ ...video(queueMs), kind: 'retransmission' });
    send.enqueue(lost(100), START_US);
    send.enqueue(video(100), START_US);
    send.enqueue({ ...lost(100), priority: 1 }, START_US);
    expect([send.mustSkipRetransmissions(0), send.mustSkipRetransmissions(1)]).toEqual([false, true]);
    send.enqueue(lost(1), START_US);
    expect(send.mustSkipRetransmissions(0)).toBe(true);
  });

  it('hands receiver reports to the controller', () => {
    const { controller, send } = begin();
    send.receiverReport({ lossShare: 0.1, rttUs: 50 * MS }, START_US);
    expect(controller.receiverReports).toEqual([{ lossShare: 0.1, rttUs: 50 * MS }]);
  });

  it('skips frames after a large fall, when what waits takes longer all at once', () => {
    const { controller, send } = begin();
    send.enqueue(video(60), START_US);
    controller.targetBps = 200_000;
    controller.windowBytes = 0;
    send.wake(START_US + 25 * MS);
    expect(send.mustSkipFrames(0)).toBe(true);
  });

  it('gives back all video of a stream, and what of it is to be sent again, once some has waited for more than 250 ms; but no sound', () => {
    const { controller, send } = begin();
    controller.windowBytes = 0;
    send.wake(START_US + 25 * MS);
    const lost: PacedPacket = { ...video(1), kind: 'retransmission' };
    send.enqueue(video(10), START_US + 25 * MS);
    send.enqueue(lost, START_US + 200 * MS);
    send.enqueue(video(5), START_US + 200 * MS);
    send.enqueue({ ...SOUND, ssrc: 1 }, START_US + 25 * MS);
    expect(send.takeStale(START_US + 275 * MS)).toEqual([]);
    expect(send.takeStale(START_US + 275 * MS + 1)).toEqual([lost, video(10), video(5)]);
    expect(send.pacer.queueBytes).toBe(MS_BYTES);
  });

  it('gives back what was to be sent again for more than 250 ms, and no video for that', () => {
    const { controller, send } = begin();
    controller.windowBytes = 0;
    send.wake(START_US + 25 * MS);
    const lost: PacedPacket = { ...video(1), kind: 'retransmission' };
    send.enqueue(lost, START_US + 25 * MS);
    send.enqueue(video(5), START_US + 200 * MS);
    expect(send.takeStale(START_US + 275 * MS + 1)).toEqual([lost]);
  });

  it('gives back frames that none depends on after 250 ms, behind a key frame too, and no other video for that', () => {
    const { controller, send } = begin();
    controller.windowBytes = 0;
    send.wake(START_US + 25 * MS);
    const upper: PacedPacket = { ...video(10), isDiscardable: true };
    const key: PacedPacket = { ...video(10), isKeyFrame: true, ssrc: 2 };
    send.enqueue(upper, START_US + 25 * MS);
    send.enqueue(video(5), START_US + 200 * MS);
    send.enqueue(key, START_US + 25 * MS);
    send.enqueue({ ...upper, ssrc: 2 }, START_US + 25 * MS);
    expect(send.takeStale(START_US + 275 * MS)).toEqual([]);
    expect(send.takeStale(START_US + 275 * MS + 1)).toEqual([upper, { ...upper, ssrc: 2 }]);
    expect(send.takeStale(START_US + 450 * MS)).toEqual([]);
    expect(send.takeStale(START_US + 450 * MS + 1)).toEqual([video(5)]);
  });

  it('waits two seconds for a key frame, and for what is behind it', () => {
    const { controller, send } = begin();
    controller.windowBytes = 0;
    send.wake(START_US);
    const key: PacedPacket = { ...video(10), isKeyFrame: true };
    send.enqueue(key, START_US);
    send.enqueue(video(5), START_US + MS);
    expect(send.takeStale(START_US + 2_000 * MS)).toEqual([]);
    expect(send.takeStale(START_US + 2_000 * MS + 1)).toEqual([key, video(5)]);
  });

  it('leaves alone the streams of which nothing has waited too long, and lets what goes first be encoded on', () => {
    const { controller, send } = begin();
    controller.windowBytes = 0;
    send.wake(START_US + 25 * MS);
    const rear = { ...video(200), ssrc: 2, priority: 1 };
    send.enqueue(rear, START_US + 25 * MS);
    send.enqueue(video(5), START_US + 200 * MS);
    expect([send.mustSkipFrames(0), send.mustSkipFrames(1)]).toEqual([false, true]);
    expect(send.takeStale(START_US + 275 * MS + 1)).toEqual([rear]);
    expect(send.takeStale(START_US + 275 * MS + 1)).toEqual([]);
  });

  it('asks encoders for as much less as has to be sent again, so that nothing has to wait for it', () => {
    const { send } = begin();
    let longestUs = 0;
    for (let nowUs = START_US; nowUs < START_US + 10_000 * MS; nowUs += 25 * MS) {
      // 200 kbit/s of retransmissions, and encoders that make what they are asked for.
      send.enqueue({ kind: 'retransmission', ssrc: 1, priority: 0, sizeBytes: 625 }, nowUs);
      send.enqueue({ kind: 'video', ssrc: 1, priority: 0, sizeBytes: (send.mediaTargetBps * 0.025) / 8 }, nowUs);
      for (let atUs = nowUs; atUs < nowUs + 25 * MS; atUs += MS) send.wake(atUs);
      if (nowUs > START_US + 5_000 * MS) longestUs = Math.max(longestUs, send.pacer.queueUs);
    }
    expect(send.mediaTargetBps).toBeGreaterThan(750_000);
    expect(send.mediaTargetBps).toBeLessThan(850_000);
    expect(longestUs).toBeLessThan(50 * MS);
  });

  it('asks encoders for less that make more than their share, by as much', () => {
    const { send } = begin();
    for (let nowUs = START_US; nowUs < START_US + 10_000 * MS; nowUs += 25 * MS) {
      const asked = send.mediaTargetBps;
      // They make 1.3 times what they are asked for.
      send.enqueue({ kind: 'video', ssrc: 1, priority: 0, sizeBytes: (1.3 * asked * 0.025) / 8 }, nowUs);
      for (let atUs = nowUs; atUs < nowUs + 25 * MS; atUs += MS) send.wake(atUs);
    }
    expect(send.mediaTargetBps).toBeGreaterThan(730_000);
    expect(send.mediaTargetBps).toBeLessThan(810_000);
  });

  it('sends what was enqueued after a tick that found nothing within 5 ms of that', () => {
    const { send } = begin();
    send.wake(START_US + 25 * MS);
    send.enqueue(video(1), START_US + 26 * MS);
    expect(send.nextWakeUs(START_US + 26 * MS)).toBe(START_US + 30 * MS);
    expect(send.wake(START_US + 30 * MS)).toHaveLength(1);
  });

  it('tries again every 5 ms while the window is full, and not without end', () => {
    const { controller, send } = begin();
    controller.windowBytes = 1_000;
    send.sent(0, 1_000, START_US);
    send.wake(START_US + 25 * MS);
    send.enqueue(video(1), START_US + 25 * MS);
    let wakes = 0;
    for (let nowUs = START_US + 25 * MS; nowUs < START_US + 425 * MS && wakes < 100; nowUs = send.nextWakeUs(nowUs)) {
      expect(send.wake(nowUs)).toEqual([]);
      wakes += 1;
    }
    expect(wakes).toBeLessThanOrEqual(81);
  });

  it('sends sound at once while the window is full, and video once feedback has emptied it', () => {
    const { controller, send } = begin();
    controller.windowBytes = 1_000;
    send.sent(0, 1_000, START_US);
    send.wake(START_US + 25 * MS);
    send.enqueue(video(1), START_US + 26 * MS);
    send.wake(START_US + 26 * MS);
    expect(send.nextWakeUs(START_US + 27 * MS)).toBe(START_US + 31 * MS);
    send.enqueue(SOUND, START_US + 27 * MS);
    expect(send.nextWakeUs(START_US + 27 * MS)).toBe(START_US + 27 * MS);
    expect(send.wake(START_US + 27 * MS)).toEqual([{ packet: SOUND }]);
    send.wake(START_US + 28 * MS);
    send.feedback(message(0, 1), START_US + 29 * MS);
    expect(send.nextWakeUs(START_US + 29 * MS)).toBe(START_US + 33 * MS);
    expect(send.wake(START_US + 33 * MS)).toEqual([{ packet: video(1) }]);
  });

  it('takes nothing as in flight for longer than half a second: the window does not stay full for want of feedback', () => {
    const { controller, send } = begin();
    controller.windowBytes = 1_000;
    send.sent(0, 1_000, START_US);
    send.wake(START_US + 25 * MS);
    send.enqueue(video(1), START_US + 25 * MS);
    expect(send.wake(START_US + 500 * MS)).toEqual([]);
    expect(send.wake(START_US + 526 * MS)).toHaveLength(1);
  });

  it('sends probes that a decision brings, the first one and later ones', () => {
    const controller = new Scripted();
    const probe = { id: 0, targetBps: 2_000_000, minPackets: 1, minBytes: 1 };
    controller.probes.push(probe);
    const send = new SendSide<PacedPacket>(controller, START_US);
    expect(send.wake(START_US)).toEqual([{ paddingBytes: 1_200, probeId: 0 }]);
    controller.probes.push({ ...probe, id: 1 });
    send.wake(START_US + 25 * MS);
    expect(send.nextWakeUs(START_US + 25 * MS)).toBeLessThanOrEqual(START_US + 50 * MS);
    expect(controller.probes).toEqual([]);
  });

  it('expects nothing of the former route after a change, and tells the controller', () => {
    const { controller, send } = begin();
    controller.windowBytes = 1_000;
    send.sent(0, 1_000, START_US);
    send.wake(START_US + 25 * MS);
    send.enqueue(video(1), START_US + 25 * MS);
    send.wake(START_US + 26 * MS);
    send.routeChanged(300_000, START_US + 27 * MS);
    expect(controller.routes).toEqual([300_000]);
    expect(send.wake(START_US + 27 * MS)).toHaveLength(1);
    send.feedback(message(0, 1), START_US + 60 * MS);
    expect(controller.reports).toEqual([]);
  });
});
