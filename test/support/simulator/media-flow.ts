import type { NetworkController } from '../../../src/congestion/network-controller.js';
import type { PacedPacket } from '../../../src/congestion/pacer.js';
import { SendSide } from '../../../src/congestion/send-side.js';
import { parseRtcp } from '../../../src/rtp/rtcp-parse.js';
import { parseTransportFeedback } from '../../../src/rtp/transport-cc.js';
import type { Events } from './events.js';
import { FeedbackReceiver } from './feedback-receiver.js';
import type { FlowRecord } from './flow-record.js';
import type { Link } from './link.js';
import type { SyntheticEncoder } from './synthetic-encoder.js';

/** RTP payload of a full packet, and RTP, extension, SRTP, UDP and IP headers. */
const PAYLOAD_BYTES = 1_150;
const HEADER_BYTES = 66;
const SOON_WRAPPED_SEQUENCE = 65_000;
/** Timers of a real driver are as late as this. */
const TIMER_US = 1_000;

/** What a {@link MediaFlow} is made of. */
export interface MediaFlowOptions {
  readonly events: Events;
  readonly forward: Link;
  readonly back: Link;
  readonly controller: NetworkController;
  readonly encoder: SyntheticEncoder;
  readonly framerate: number;
  readonly record: FlowRecord;
  readonly startUs?: number;
  /** Whether it sends nothing now. */
  readonly isPaused?: (nowUs: number) => boolean;
  readonly driftPpm?: number;
  /** Whether numbers and clocks wrap early. */
  readonly wraps?: boolean;
}

interface MediaPacket extends PacedPacket {
  readonly encodedAtUs: number;
}

/** A sender with an encoder, and its receiver: the real controller, pacer and feedback bytes over simulated links. */
export class MediaFlow {
  readonly #options: MediaFlowOptions;
  readonly #receiver: FeedbackReceiver;
  #send: SendSide<MediaPacket> | undefined;
  #sequence = 0;
  #wakeAtUs = Number.POSITIVE_INFINITY;

  constructor(options: MediaFlowOptions) {
    this.#options = options;
    const { events, back, driftPpm = 0, startUs = 0, wraps = false } = options;
    if (wraps) this.#sequence = SOON_WRAPPED_SEQUENCE;
    this.#receiver = new FeedbackReceiver({
      events,
      back,
      driftPpm,
      wraps,
      deliver: (message) => this.#feedback(message),
    });
    events.at(startUs, () => this.#start());
  }

  #start(): void {
    const { events, controller } = this.#options;
    this.#send = new SendSide<MediaPacket>(controller, events.nowUs);
    this.#encode(this.#send);
    this.#arm(this.#send);
  }

  #encode(send: SendSide<MediaPacket>): void {
    const { events, encoder, framerate, isPaused, record } = this.#options;
    const { nowUs } = events;
    events.after(1_000_000 / framerate, () => this.#encode(send));
    record.target(nowUs, send.decision.targetBps, send.decision.limitedBy);
    if (isPaused?.(nowUs) === true) return;
    if (send.takeStale(nowUs).length > 0) encoder.forceKeyFrame();
    if (send.mustSkipFrames(0)) {
      record.skipped();
      return;
    }
    for (let left = encoder.next(send.mediaTargetBps, nowUs); left > 0; left -= PAYLOAD_BYTES) {
      const sizeBytes = Math.min(left, PAYLOAD_BYTES) + HEADER_BYTES;
      send.enqueue({ kind: 'video', ssrc: 1, priority: 0, sizeBytes, encodedAtUs: nowUs }, nowUs);
    }
    this.#arm(send);
  }

  #feedback(message: Uint8Array): void {
    const send = this.#send;
    if (send === undefined) return;
    for (const packet of parseRtcp(message).packets) {
      if (packet.kind !== 'transport-cc') continue;
      const parsed = parseTransportFeedback(packet.fci);
      if (parsed !== undefined) send.feedback(parsed, this.#options.events.nowUs);
    }
    this.#arm(send);
  }

  #arm(send: SendSide<MediaPacket>): void {
    const { events } = this.#options;
    const dueUs = Math.max(send.nextWakeUs(events.nowUs), events.nowUs);
    const atUs = Math.ceil(dueUs / TIMER_US) * TIMER_US;
    if (atUs >= this.#wakeAtUs) return;
    this.#wakeAtUs = atUs;
    events.at(atUs, () => {
      if (this.#wakeAtUs !== atUs) return;
      this.#wakeAtUs = Number.POSITIVE_INFINITY;
      this.#wake(send);
    });
  }

  #wake(send: SendSide<MediaPacket>): void {
    const { nowUs } = this.#options.events;
    for (const departure of send.wake(nowUs)) {
      if ('packet' in departure) {
        this.#transmit(send, departure.packet.sizeBytes, departure.probeId, departure.packet.encodedAtUs);
      } else this.#transmit(send, departure.paddingBytes, departure.probeId);
    }
    this.#arm(send);
  }

  /** @param encodedAtUs of media; absent for padding */
  #transmit(send: SendSide<MediaPacket>, sizeBytes: number, probeId?: number, encodedAtUs?: number): void {
    const { events, forward, record } = this.#options;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    const { nowUs } = events;
    send.sent(sequence, sizeBytes, nowUs, probeId);
    record.sent(nowUs, sizeBytes, encodedAtUs === undefined ? 0 : nowUs - encodedAtUs);
    let hasArrived = false;
    forward.send({
      sizeBytes,
      arrive: () => {
        this.#receiver.arrived(sequence, sizeBytes);
        if (hasArrived) return;
        hasArrived = true;
        record.arrived(events.nowUs, sizeBytes, encodedAtUs === undefined ? undefined : events.nowUs - encodedAtUs);
      },
      waited: (queueUs) => record.waited(events.nowUs, queueUs),
      dropped: () => record.lost(),
    });
  }
}
