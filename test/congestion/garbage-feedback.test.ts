import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GoogCc } from '../../src/congestion/goog-cc.js';
import type { PacedPacket } from '../../src/congestion/pacer.js';
import { SendSide } from '../../src/congestion/send-side.js';
import { SentPackets } from '../../src/congestion/sent-packets.js';
import { parseTransportFeedback, type TransportFeedback } from '../../src/rtp/transport-cc.js';

const bounds = { startBps: 1_000_000, minBps: 50_000, maxBps: 5_000_000 };

/** A sender that is awake every 5 ms, near the wraps of everything, and takes whatever feedback it is given. */
class Sender {
  readonly send = new SendSide<PacedPacket>(new GoogCc(bounds), 0);
  nowUs = 0;
  /** When each packet of the last run was sent. */
  sentAtUs: number[] = [];
  #sequence = 65_400;

  get sequence(): number {
    return this.#sequence;
  }

  run(durationUs: number): void {
    this.sentAtUs = [];
    for (const endUs = this.nowUs + durationUs; this.nowUs < endUs; this.nowUs += 5_000) {
      this.send.takeStale(this.nowUs);
      if (!this.send.mustSkipFrames(0))
        this.send.enqueue({ kind: 'video', ssrc: 1, priority: 0, sizeBytes: 700 }, this.nowUs);
      for (const departure of this.send.wake(this.nowUs)) {
        const sizeBytes = 'packet' in departure ? departure.packet.sizeBytes : departure.paddingBytes;
        this.send.sent(this.#sequence, sizeBytes, this.nowUs, departure.probeId);
        this.sentAtUs.push(this.nowUs);
        this.#sequence = (this.#sequence + 1) & 0xffff;
      }
      this.check();
    }
  }

  /** Plain comparisons: this runs some hundred thousand times. */
  check(): void {
    const { decision, mediaTargetBps } = this.send;
    const { targetBps, pacingBps, windowBytes, probes } = decision;
    const areSound =
      targetBps >= bounds.minBps &&
      targetBps <= bounds.maxBps &&
      [pacingBps, windowBytes, mediaTargetBps].every((each) => each > 0 && Number.isFinite(each)) &&
      probes.every((probe) => probe.targetBps <= bounds.maxBps) &&
      Number.isFinite(this.send.nextWakeUs(this.nowUs));
    if (!areSound) throw new Error(`not a sound decision: ${JSON.stringify({ ...decision, mediaTargetBps })}`);
  }

  /** What an honest receiver would say of the newest packets. */
  honest(count: number): TransportFeedback {
    return {
      baseSequence: (this.#sequence - count) & 0xffff,
      referenceTicks: Math.floor(this.nowUs / 64_000) & 0xffffff,
      feedbackCount: 0,
      arrivalsUs: Array.from({ length: count }, (_, index) => index * 1_000),
    };
  }
}

const arrivalUs = fc.oneof(fc.constant(undefined), fc.integer({ min: -9_000_000, max: 9_000_000 }), fc.nat(100_000));

/** Messages of all kinds, most of them about packets that exist, told by how far they lie behind the newest. */
const messages = fc.record({
  behind: fc.integer({ min: -40, max: 400 }),
  referenceTicks: fc.oneof(fc.nat(0xffffff), fc.constantFrom(0, 0xffffff, 0x800000), fc.nat(100)),
  arrivalsUs: fc.array(arrivalUs, { minLength: 1, maxLength: 60 }),
  afterUs: fc.oneof(fc.nat(100_000), fc.constant(0), fc.constant(600_000)),
  /** How often it comes. */
  copies: fc.integer({ min: 1, max: 3 }),
  honest: fc.boolean(),
});

describe('feedback that is garbage', () => {
  it('keeps the target finite and within its bounds, for arbitrary messages', () => {
    fc.assert(
      fc.property(fc.array(messages, { minLength: 1, maxLength: 25 }), (list) => {
        const sender = new Sender();
        sender.run(300_000);
        for (const { behind, referenceTicks, arrivalsUs, afterUs, copies, honest } of list) {
          const baseSequence = (sender.sequence - behind) & 0xffff;
          const garbage = { baseSequence, referenceTicks, feedbackCount: 0, arrivalsUs };
          for (let copy = 0; copy < copies; copy += 1)
            sender.send.feedback(honest ? sender.honest(20) : garbage, sender.nowUs);
          sender.check();
          sender.run(afterUs);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('does so for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 8, maxLength: 60 }), { maxLength: 40 }), (list) => {
        const sender = new Sender();
        sender.run(300_000);
        for (const bytes of list) {
          // About packets that exist, or nothing of the rest would be looked at.
          new DataView(bytes.buffer, bytes.byteOffset).setUint16(0, (sender.sequence - 30) & 0xffff);
          const message = parseTransportFeedback(bytes);
          if (message !== undefined) sender.send.feedback(message, sender.nowUs);
          sender.check();
          sender.run(20_000);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is forgotten: 12 s of honest feedback later the target grows as if there had been none', () => {
    fc.assert(
      fc.property(fc.array(messages, { minLength: 1, maxLength: 10 }), (list) => {
        const sender = new Sender();
        sender.run(300_000);
        for (const { behind, referenceTicks, arrivalsUs, afterUs } of list) {
          const baseSequence = (sender.sequence - behind) & 0xffff;
          sender.send.feedback({ baseSequence, referenceTicks, feedbackCount: 0, arrivalsUs }, sender.nowUs);
          sender.run(afterUs);
        }
        const honest = (seconds: number): number => {
          for (const endUs = sender.nowUs + seconds * 1_000_000; sender.nowUs < endUs; ) {
            const first = sender.sequence;
            const fromUs = sender.nowUs;
            sender.run(50_000);
            if (sender.sentAtUs.length === 0) continue;
            const referenceTicks = Math.floor(fromUs / 64_000);
            const arrivalsUs = sender.sentAtUs.map((atUs) => atUs - referenceTicks * 64_000 + 20_000);
            sender.send.feedback({ baseSequence: first, referenceTicks, feedbackCount: 0, arrivalsUs }, sender.nowUs);
          }
          return sender.send.decision.targetBps;
        };
        honest(12);
        const before = sender.send.decision.targetBps;
        expect(honest(8)).toBeGreaterThan(Math.min(1.2 * before, 1_000_000));
      }),
      { numRuns: 10 },
    );
  });

  it('costs no memory: what is remembered is bounded, whatever is said of it', () => {
    const sent = new SentPackets();
    let bytes = 0;
    for (let index = 0; index < 40_000; index += 1) {
      sent.sent(index & 0xffff, 1_000, index * 100);
      if (index % 100 !== 0) continue;
      sent.feedback(
        {
          baseSequence: (index - 5_000) & 0xffff,
          referenceTicks: index & 0xffffff,
          feedbackCount: 0,
          arrivalsUs: [undefined, 1, undefined],
        },
        index * 100,
      );
      bytes = Math.max(bytes, sent.inFlightBytes);
    }
    expect(bytes).toBeLessThanOrEqual(16_384_000);
  });

  it('does not take a message that is 5 minutes late for news', () => {
    const sender = new Sender();
    sender.run(300_000);
    const old = sender.honest(20);
    sender.send.feedback(old, sender.nowUs);
    sender.run(5_000_000);
    const before = sender.send.decision;
    sender.nowUs += 295_000_000;
    sender.send.feedback(old, sender.nowUs);
    expect(sender.send.decision.targetBps).toBe(before.targetBps);
  });
});
