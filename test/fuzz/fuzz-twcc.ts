import { GoogCc } from '../../src/congestion/goog-cc.js';
import type { PacedPacket } from '../../src/congestion/pacer.js';
import { SendSide } from '../../src/congestion/send-side.js';
import { nextSequence } from '../../src/core/sequence.js';
import { TransportFeedback } from '../../src/loopback/media/transport-feedback.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { parseTransportFeedback } from '../../src/rtp/transport-cc.js';
import type { FuzzRandom } from './fuzz-random.js';
import { demand, demandNumbers, type FuzzTarget, type Note } from './fuzz-target.js';
import { mutateBytes } from './mutate.js';

const BOUNDS = { startBps: 1_000_000, minBps: 50_000, maxBps: 5_000_000 };
/** The RTCP header and two SSRCs, in front of what the draft describes. */
const FEEDBACK_OFFSET = 12;
const WAKE_INTERVAL_US = 5_000;
/** The count of packets has 16 bits. */
const MAX_PACKETS_TOLD_OF = 65_535;

/**
 * Transport-wide feedback, mutated, read by our parser and given to one congestion controller, which sends meanwhile: what is read is bounded, and
 * all decisions are finite and within their bounds.
 */
export class TwccTarget implements FuzzTarget {
  readonly stateful = true;
  readonly #send = new SendSide<PacedPacket>(new GoogCc(BOUNDS), 0);
  readonly #writer = new TransportFeedback(1);
  #nowUs = 0;
  /** Near its wrap. */
  #sequence = 65_400;
  #packetsSent = 0;

  run(random: FuzzRandom, note: Note): string {
    this.#drive(random.below(20) * WAKE_INTERVAL_US, random.below(100_000));
    const [honest] = this.#writer.take(2);
    const isHonest = random.chance(0.5);
    const message = this.#message(honest, isHonest, random);
    note(message);
    const feedback = parseTransportFeedback(message);
    if (feedback === undefined) {
      demand(!isHonest || honest === undefined, () => 'a well-formed message was not understood');
      return 'malformed';
    }
    demandNumbers(feedback);
    const { length } = feedback.arrivalsUs;
    demand(length > 0 && length <= MAX_PACKETS_TOLD_OF, () => `a message told of ${length} packets`);
    this.#send.feedback(feedback, this.#nowUs);
    this.#check();
    return 'understood';
  }

  async close(): Promise<Readonly<Record<string, string | number>>> {
    return { 'packets sent': this.#packetsSent, 'seconds of virtual time': Math.round(this.#nowUs / 1e6) };
  }

  /** Sends for a while; what is sent arrives after a constant delay. */
  #drive(durationUs: number, delayUs: number): void {
    for (const endUs = this.#nowUs + durationUs; this.#nowUs < endUs; this.#nowUs += WAKE_INTERVAL_US) {
      this.#send.takeStale(this.#nowUs);
      if (!this.#send.mustSkipFrames(0)) {
        this.#send.enqueue({ kind: 'video', ssrc: 1, priority: 0, sizeBytes: 700 }, this.#nowUs);
      }
      for (const departure of this.#send.wake(this.#nowUs)) {
        const sizeBytes = 'packet' in departure ? departure.packet.sizeBytes : departure.paddingBytes;
        this.#send.sent(this.#sequence, sizeBytes, this.#nowUs, departure.probeId);
        this.#writer.packet(this.#sequence, this.#nowUs + delayUs);
        this.#sequence = nextSequence(this.#sequence);
        this.#packetsSent += 1;
      }
      this.#check();
    }
  }

  #message(honest: Uint8Array | undefined, isHonest: boolean, random: FuzzRandom): Uint8Array {
    if (honest === undefined || random.chance(0.1))
      return isHonest && honest !== undefined ? fciOf(honest) : random.bytes(random.length(200));
    const fci = fciOf(honest);
    return isHonest ? fci : mutateBytes(fci, random);
  }

  #check(): void {
    const { decision, mediaTargetBps } = this.#send;
    const { targetBps, pacingBps, windowBytes, probes } = decision;
    const areSound =
      targetBps >= BOUNDS.minBps &&
      targetBps <= BOUNDS.maxBps &&
      [pacingBps, windowBytes, mediaTargetBps].every((each) => each > 0 && Number.isFinite(each)) &&
      probes.every((probe) => probe.targetBps <= BOUNDS.maxBps) &&
      Number.isFinite(this.#send.nextWakeUs(this.#nowUs));
    demand(areSound, () => `not a sound decision: ${JSON.stringify({ ...decision, mediaTargetBps })}`);
  }
}

/** What the RTCP parser hands out of a packet, without its padding. */
function fciOf(packet: Uint8Array): Uint8Array {
  const [parsed] = parseRtcp(packet).packets;
  return parsed?.kind === 'transport-cc' ? parsed.fci : packet.subarray(FEEDBACK_OFFSET);
}
