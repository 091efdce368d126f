import { TransportFeedback } from '../../../src/loopback/media/transport-feedback.js';
import type { Events } from './events.js';
import type { Link } from './link.js';

/** Bounds of the interval between messages and the share of the rate that they may take (libwebrtc's transport_sequence_number_feedback_generator.cc). */
const MIN_INTERVAL_US = 50_000;
const MAX_INTERVAL_US = 250_000;
const FEEDBACK_SHARE = 0.05;
const MESSAGE_BITS = 68 * 8;
/** LiveKit's receiver, as ion-sfu's, says nothing of so many packets or fewer, something of so many more every 100 ms (mediatransportutil/pkg/twcc/twcc.go). */
const SFU_HELD_PACKETS = 20;
const SFU_MOST_HELD_PACKETS = 100;
const SFU_INTERVAL_US = 100_000;
/** IP and UDP headers and SRTCP's trailer. */
const OVERHEAD_BYTES = 42;
/** A receiver's clock has its own zero, and runs at its own speed. */
const CLOCK_OFFSET_US = 5_000_000_000;
/** The reference time of feedback has 24 bits and ticks of 64 ms (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). */
const WRAPS_AFTER_30_S_US = 2 ** 24 * 64_000 - 30_000_000;

/** What a {@link FeedbackReceiver} is made of. */
export interface FeedbackReceiverOptions {
  readonly events: Events;
  /** The way back. */
  readonly back: Link;
  readonly deliver: (message: Uint8Array) => void;
  /** How much faster its clock runs, in parts per million. @default 0 */
  readonly driftPpm?: number;
  /** Whether its reference time wraps after 30 s. @default false */
  readonly wraps?: boolean;
  /** Whether it counts packets, as SFUs do, in place of time. @default false */
  readonly isSfu?: boolean;
}

/** Sends transport-wide feedback, as bytes, about everything that arrives. */
export class FeedbackReceiver {
  readonly #options: FeedbackReceiverOptions;
  readonly #feedback = new TransportFeedback(1);
  #bytes = 0;
  #hasNews = false;
  #intervalUs = 2 * MIN_INTERVAL_US;
  #heldPackets = 0;
  #sentAtUs = 0;

  constructor(options: FeedbackReceiverOptions) {
    this.#options = options;
    if (options.isSfu !== true) this.#schedule();
  }

  arrived(sequenceNumber: number, sizeBytes: number): void {
    const { events, driftPpm = 0, wraps = false } = this.#options;
    const offsetUs = wraps ? WRAPS_AFTER_30_S_US : CLOCK_OFFSET_US;
    this.#feedback.packet(sequenceNumber, offsetUs + events.nowUs * (1 + driftPpm / 1e6));
    this.#bytes += sizeBytes;
    this.#hasNews = true;
    this.#heldPackets += 1;
    if (this.#options.isSfu === true && this.#isDue()) this.#send();
  }

  #isDue(): boolean {
    const sinceUs = this.#options.events.nowUs - this.#sentAtUs;
    return (
      this.#heldPackets > SFU_MOST_HELD_PACKETS || (this.#heldPackets > SFU_HELD_PACKETS && sinceUs >= SFU_INTERVAL_US)
    );
  }

  #schedule(): void {
    this.#options.events.after(this.#intervalUs, () => {
      if (this.#hasNews) this.#send();
      const rateBps = (this.#bytes * 8_000_000) / this.#intervalUs;
      this.#bytes = 0;
      const intervalUs = (MESSAGE_BITS * 1_000_000) / Math.max(FEEDBACK_SHARE * rateBps, 1);
      this.#intervalUs = Math.min(Math.max(intervalUs, MIN_INTERVAL_US), MAX_INTERVAL_US);
      this.#schedule();
    });
  }

  #send(): void {
    this.#hasNews = false;
    this.#heldPackets = 0;
    this.#sentAtUs = this.#options.events.nowUs;
    for (const message of this.#feedback.take(2)) {
      const sizeBytes = message.length + OVERHEAD_BYTES;
      this.#options.back.send({ sizeBytes, arrive: () => this.#options.deliver(message) });
    }
  }
}
