import { TransportFeedback } from '../../src/loopback/media/transport-feedback.js';
import type { ReportBlock } from '../../src/rtp/rtcp-packet.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import {
  writeBye,
  writeCompound,
  writeFir,
  writeNack,
  writePli,
  writeReceiverReport,
  writeSdesCname,
  writeSenderReport,
} from '../../src/rtp/rtcp-write.js';
import { RtcSender } from '../../src/sender/rtc-sender.js';
import { FakeNetwork, type FakeTransport } from '../support/fake-transport.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { FuzzRandom } from './fuzz-random.js';
import { demand, demandNumbers, type FuzzTarget, type Note } from './fuzz-target.js';
import { mutateBytes } from './mutate.js';

const PEER = 0x1234;
const FEEDBACK_EXTENSION = 5;
const MAX_BITRATE_BPS = 2_000_000;
/** A NACK names 17 packets in 4 bytes, and nothing else says more in less. */
const LARGEST_YIELD_A_WORD = 17;
/** All that the history of a stream holds, and a frame. */
const MAX_PACKETS_FOR_A_COMPOUND = 1200;
/** What the sender and its congestion control have at any time. */
const MAX_TIMERS = 12;
/** A VP8 key frame and a delta frame, as far as the packetizer looks (RFC 6386 section 9.1). */
const VP8_KEY = Uint8Array.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0, ...new Array<number>(2400).fill(7)]);
const VP8_DELTA = Uint8Array.from([0x11, ...new Array<number>(1500).fill(7)]);

/**
 * A sender with congestion control in virtual time that gets mutated feedback, one sender for all runs: nothing is thrown, no number is none, little
 * is sent for a compound, and in the end the sender still sends.
 */
export class RtcpTarget implements FuzzTarget {
  readonly stateful = true;
  readonly #clock = new VirtualClock();
  readonly #network = new FakeNetwork();
  readonly #sender: RtcSender;
  readonly #feedback = new TransportFeedback(PEER);
  readonly #ssrcs: number[] = [];
  #sequenceNumber = 0;
  #connectedAtUs = 0;
  #mostPackets = 0;
  #frames = 0;

  private constructor() {
    this.#network.extensions = { mid: 1, absSendTime: 2, absCaptureTime: 3, transportWideCc: FEEDBACK_EXTENSION };
    this.#network.onRtp = (_, { header }) => {
      const [high = 0, low = 0] = header.extensions.find(({ id }) => id === FEEDBACK_EXTENSION)?.data ?? [];
      this.#feedback.packet((high << 8) | low, this.#clock.nowUs());
      this.#sequenceNumber = header.sequenceNumber;
    };
    this.#sender = new RtcSender({
      encoders: new PoisoningEncoderFactory(),
      transport: this.#network.factory,
      clock: this.#clock,
      random: new FuzzRandom(1),
      maxBitrateBps: MAX_BITRATE_BPS,
      statsIntervalMs: 0,
    });
  }

  static async open(): Promise<RtcpTarget> {
    const target = new RtcpTarget();
    await target.#connect();
    return target;
  }

  async #connect(): Promise<void> {
    for (const id of ['front', 'rear']) {
      await this.#sender.addEncodedVideoTrack({ id, codec: 'vp8' });
      this.#ssrcs.push(this.#sender.getTrackStats(id).ssrc);
    }
    await this.#sender.connect(async () => 'answer');
    this.#connectedAtUs = this.#clock.nowUs();
  }

  async run(random: FuzzRandom, note: Note): Promise<string> {
    await this.#sendFrame(random.below(100));
    const compound = this.#compound(random);
    note(compound);
    const { rtp, rtcp, observer } = this.#transport;
    rtp.length = 0;
    rtcp.length = 0;
    observer.rtcp(compound);
    this.#mostPackets = Math.max(this.#mostPackets, rtp.length);
    return this.#check(compound);
  }

  async close(): Promise<Readonly<Record<string, string | number>>> {
    // What waits because of what the last messages said of the network.
    for (let second = 0; second < 60; second += 1) await this.#advance(1000);
    const sent = this.#sender.getTrackStats('front').framesSent;
    await this.#sendFrame(100);
    await this.#advance(1000);
    demand(this.#sender.getTrackStats('front').framesSent > sent, () => 'no frame is sent any more');
    const { clean } = await this.#sender.close();
    demand(clean, () => 'the sender did not close cleanly');
    demand(this.#clock.pendingTimers === 0, () => `${this.#clock.pendingTimers} timers are left`);
    return { 'frames given': this.#frames, 'most packets sent for one compound': this.#mostPackets };
  }

  get #transport(): FakeTransport {
    return this.#network.last;
  }

  async #sendFrame(forMs: number): Promise<void> {
    const isKey = this.#frames % 100 < 2;
    const id = this.#frames % 2 === 0 ? 'front' : 'rear';
    const data = isKey ? VP8_KEY : VP8_DELTA;
    this.#sender.sendEncodedFrame(id, { data, type: isKey ? 'key' : 'delta', timestamp: this.#clock.nowUs() });
    this.#frames += 1;
    await this.#advance(forMs);
  }

  #advance(ms: number): Promise<void> {
    return this.#clock.advance(ms, () => Promise.resolve());
  }

  #compound(random: FuzzRandom): Uint8Array {
    if (random.chance(0.05)) return random.bytes(random.length(1500));
    const count = 1 + random.length(5);
    const compound = writeCompound(Array.from({ length: count }, () => this.#packet(random)));
    return random.chance(0.1) ? compound : mutateBytes(compound, random);
  }

  #packet(random: FuzzRandom): Uint8Array {
    const ssrc = random.pick([this.#ssrcs[0] ?? 0, this.#ssrcs[1] ?? 0, random.uint32()]);
    switch (random.below(9)) {
      case 0:
        return writePli(PEER, ssrc);
      case 1:
        return writeFir(random.uint32(), [{ ssrc, sequenceNumber: random.below(256) }]);
      case 2: {
        const lost = Array.from(
          { length: 1 + random.length(300) },
          (_, back) => (this.#sequenceNumber - back) & 0xffff,
        );
        return writeNack(PEER, ssrc, lost.reverse());
      }
      case 3:
        return writeReceiverReport(PEER, [reportOf(ssrc, random), reportOf(random.uint32(), random)]);
      case 4: {
        const ntp = { seconds: random.uint32(), fraction: random.uint32() };
        return writeSenderReport({ ssrc, ntp, rtpTimestamp: random.uint32(), packetCount: 1, octetCount: 2 });
      }
      case 5:
        return random.chance(0.5) ? writeSdesCname(PEER, 'peer') : writeBye([PEER, ssrc], 'goodbye');
      case 6:
        return Uint8Array.from([0x80 | random.below(32), 192 + random.below(32), 0, 2, ...random.bytes(8)]);
      case 7:
        return rembOf(ssrc, random);
      default:
        return this.#feedback.take(ssrc)[0] ?? writePli(PEER, ssrc);
    }
  }

  #check(compound: Uint8Array): string {
    const parsed = parseRtcp(compound);
    demandNumbers(parsed);
    let yielded = 0;
    for (const packet of parsed.packets) yielded += packet.kind === 'nack' ? packet.lost.length : 1;
    const limit = (LARGEST_YIELD_A_WORD * compound.length) / 4;
    demand(yielded <= limit, () => `${compound.length} bytes gave ${yielded} pieces`);
    const stats = this.#sender.getStats();
    demandNumbers(stats);
    const { targetBitrate, tracks } = stats;
    demand(targetBitrate > 0 && targetBitrate <= MAX_BITRATE_BPS, () => `the target is ${targetBitrate}`);
    const connectedSeconds = (this.#clock.nowUs() - this.#connectedAtUs) / 1e6;
    for (const { remoteInbound } of tracks) {
      const roundTrip = remoteInbound?.roundTripTime ?? 0;
      demand(roundTrip <= Math.max(connectedSeconds, 0.001), () => `the round trip is ${roundTrip} s`);
    }
    const { length } = this.#transport.rtp;
    demand(length <= MAX_PACKETS_FOR_A_COMPOUND, () => `${length} packets were sent for one compound`);
    demand(this.#clock.pendingTimers <= MAX_TIMERS, () => `${this.#clock.pendingTimers} timers are pending`);
    return parsed.malformed?.reason ?? 'well-formed';
  }
}

function reportOf(ssrc: number, random: FuzzRandom): ReportBlock {
  return {
    ssrc,
    fractionLost: random.below(256),
    cumulativeLost: random.below(0x1_0000) - 0x8000,
    highestSequence: random.uint32(),
    jitter: random.uint32(),
    lastSenderReport: random.chance(0.3) ? 0 : random.uint32(),
    delaySinceLastSenderReport: random.pick([0, random.below(0x1_0000), random.uint32()]),
  };
}

/** Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 section 2.2). */
function rembOf(ssrc: number, random: FuzzRandom): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x8fce_0005);
  view.setUint32(4, PEER);
  view.setUint32(12, 0x5245_4d42);
  view.setUint32(16, ((1 << 24) | (random.uint32() >>> 8)) >>> 0);
  view.setUint32(20, ssrc);
  return bytes;
}
