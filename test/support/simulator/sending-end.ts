import type { NetworkController } from '../../../src/congestion/network-controller.js';
import type { PacedPacket, PacerOptions } from '../../../src/congestion/pacer.js';
import { SendSide } from '../../../src/congestion/send-side.js';
import { parseRtcp } from '../../../src/rtp/rtcp-parse.js';
import { parseTransportFeedback } from '../../../src/rtp/transport-cc.js';
import type { Events } from './events.js';
import { FeedbackReceiver } from './feedback-receiver.js';
import type { FlowRecord } from './flow-record.js';
import type { Link } from './link.js';

/** RTP payload of a full packet, and RTP, extension, SRTP, UDP and IP headers. */
const PAYLOAD_BYTES = 1_150;
const HEADER_BYTES = 66;
const SOON_WRAPPED_SEQUENCE = 65_000;
/** Timers have this resolution. */
const TIMER_US = 1_000;

/** A packet of a frame. */
export interface MediaPacket extends PacedPacket {
  readonly encodedAtUs: number;
}

/** What a {@link SendingEnd} is made of. */
export interface SendingEndOptions<Packet extends MediaPacket> {
  readonly events: Events;
  readonly forward: Link;
  readonly back: Link;
  readonly controller: NetworkController;
  readonly record: FlowRecord;
  readonly startUs?: number;
  readonly driftPpm?: number;
  /** Whether numbers and clocks wrap early. */
  readonly wraps?: boolean;
  /** Whether the receiver gives feedback as SFUs do. */
  readonly sfuFeedback?: boolean;
  readonly pacing?: PacerOptions<Packet>;
  /** How late the next timer rings, beyond its resolution. @default never */
  readonly lateUs?: () => number;
  readonly started: (send: SendSide<Packet>) => void;
  readonly arrived?: (packet: Packet) => void;
  readonly dropped?: (packet: Packet) => void;
}

/** The real controller, pacer and feedback bytes over simulated links, and the receiver at their end. */
export class SendingEnd<Packet extends MediaPacket> {
  readonly #options: SendingEndOptions<Packet>;
  readonly #receiver: FeedbackReceiver;
  #send: SendSide<Packet> | undefined;
  #sequence = 0;
  #wakeAtUs = Number.POSITIVE_INFINITY;

  constructor(options: SendingEndOptions<Packet>) {
    this.#options = options;
    const { events, back, driftPpm = 0, startUs = 0, wraps = false, sfuFeedback = false } = options;
    if (wraps) this.#sequence = SOON_WRAPPED_SEQUENCE;
    this.#receiver = new FeedbackReceiver({
      events,
      back,
      driftPpm,
      wraps,
      isSfu: sfuFeedback,
      deliver: (message) => this.#feedback(message),
    });
    events.at(startUs, () => this.#start());
  }

  /** Sets the timer for what is due next; to be called after packets were queued. */
  arm(): void {
    const send = this.#send;
    if (send === undefined) return;
    const { events, lateUs } = this.#options;
    const dueUs = Math.max(send.nextWakeUs(events.nowUs), events.nowUs);
    const onTimeUs = Math.ceil(dueUs / TIMER_US) * TIMER_US;
    if (onTimeUs >= this.#wakeAtUs) return;
    const atUs = onTimeUs + (lateUs?.() ?? 0);
    if (atUs >= this.#wakeAtUs) return;
    this.#wakeAtUs = atUs;
    events.at(atUs, () => {
      if (this.#wakeAtUs !== atUs) return;
      this.#wakeAtUs = Number.POSITIVE_INFINITY;
      this.#wake(send);
    });
  }

  #start(): void {
    const { controller, events, pacing, started } = this.#options;
    this.#send = new SendSide<Packet>(controller, events.nowUs, pacing);
    started(this.#send);
    this.arm();
  }

  #feedback(message: Uint8Array): void {
    for (const packet of parseRtcp(message).packets) {
      if (packet.kind !== 'transport-cc') continue;
      const parsed = parseTransportFeedback(packet.fci);
      if (parsed !== undefined) this.#send?.feedback(parsed, this.#options.events.nowUs);
    }
    this.arm();
  }

  #wake(send: SendSide<Packet>): void {
    for (const departure of send.wake(this.#options.events.nowUs)) {
      const { probeId } = departure;
      if ('packet' in departure) this.#transmit(send, departure.packet.sizeBytes, probeId, departure.packet);
      else this.#transmit(send, departure.paddingBytes, probeId);
    }
    this.arm();
  }

  /** @param packet absent for padding */
  #transmit(send: SendSide<Packet>, sizeBytes: number, probeId?: number, packet?: Packet): void {
    const { events, forward, record, arrived, dropped } = this.#options;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    send.sent(sequence, sizeBytes, events.nowUs, probeId);
    const ageUs = (): number | undefined => (packet === undefined ? undefined : events.nowUs - packet.encodedAtUs);
    record.sent(events.nowUs, sizeBytes, ageUs() ?? 0);
    let hasArrived = false;
    forward.send({
      sizeBytes,
      arrive: () => {
        this.#receiver.arrived(sequence, sizeBytes);
        if (hasArrived) return;
        hasArrived = true;
        record.arrived(events.nowUs, sizeBytes, ageUs());
        if (packet !== undefined) arrived?.(packet);
      },
      waited: (queueUs) => record.waited(events.nowUs, queueUs),
      dropped: () => {
        record.lost();
        if (packet !== undefined) dropped?.(packet);
      },
    });
  }
}

/** Sizes of the packets of a frame, on the wire. */
export function packetSizes(frameBytes: number): readonly number[] {
  const sizes: number[] = [];
  for (let left = frameBytes; left > 0; left -= PAYLOAD_BYTES) sizes.push(Math.min(left, PAYLOAD_BYTES) + HEADER_BYTES);
  return sizes;
}
