import type { Events } from './events.js';
import type { Link } from './link.js';

const SEGMENT_BYTES = 1_500;
const ACK_BYTES = 52;
/** CUBIC (RFC 9438): growth factor and multiplicative decrease. */
const CUBIC_C = 0.4;
const CUBIC_BETA = 0.7;
const FIRST_WINDOW = 10;
const MIN_TIMEOUT_US = 200_000;

/** What a {@link TcpFlow} is made of. */
export interface TcpFlowOptions {
  readonly events: Events;
  readonly forward: Link;
  readonly back: Link;
  readonly startUs: number;
  /** How much it has to send. @default without end */
  readonly totalBytes?: number;
  readonly arrived?: (sizeBytes: number) => void;
  readonly finished?: () => void;
}

/** TCP as far as it matters to others: slow start, CUBIC, fast recovery once in a round trip, a timeout when all is lost. Every segment is acknowledged by itself. */
export class TcpFlow {
  readonly #options: TcpFlowOptions;
  #window = FIRST_WINDOW;
  #threshold = Number.POSITIVE_INFINITY;
  #windowBeforeLoss = 0;
  #lossAtUs = 0;
  #next = 0;
  #recoverUntil = -1;
  readonly #inFlight = new Map<number, number>();
  #highestAcked = -1;
  #leftSegments: number;
  #rttUs = 100_000;
  #lastAckUs = 0;

  constructor(options: TcpFlowOptions) {
    this.#options = options;
    this.#leftSegments = Math.ceil((options.totalBytes ?? Number.POSITIVE_INFINITY) / SEGMENT_BYTES);
    options.events.at(options.startUs, () => {
      this.#lastAckUs = options.events.nowUs;
      this.#fill();
      this.#watch();
    });
  }

  #fill(): void {
    const { events, forward, back, arrived } = this.#options;
    while (this.#inFlight.size < Math.floor(this.#window) && this.#leftSegments > 0) {
      const sequence = this.#next;
      this.#next += 1;
      this.#leftSegments -= 1;
      this.#inFlight.set(sequence, events.nowUs);
      forward.send({
        sizeBytes: SEGMENT_BYTES,
        arrive: () => {
          arrived?.(SEGMENT_BYTES);
          back.send({ sizeBytes: ACK_BYTES, arrive: () => this.#acked(sequence) });
        },
      });
    }
  }

  #acked(sequence: number): void {
    const { nowUs } = this.#options.events;
    const sentAtUs = this.#inFlight.get(sequence);
    if (sentAtUs === undefined) return;
    this.#inFlight.delete(sequence);
    this.#lastAckUs = nowUs;
    this.#rttUs += (nowUs - sentAtUs - this.#rttUs) / 8;
    this.#highestAcked = Math.max(this.#highestAcked, sequence);
    for (const lost of [...this.#inFlight.keys()].filter((each) => each < this.#highestAcked - 3)) this.#lost(lost);
    this.#grow(nowUs);
    this.#fill();
    if (this.#leftSegments === 0 && this.#inFlight.size === 0) this.#options.finished?.();
  }

  #grow(nowUs: number): void {
    if (this.#window < this.#threshold) {
      this.#window += 1;
      return;
    }
    const seconds = (nowUs - this.#lossAtUs) / 1_000_000;
    const plateau = Math.cbrt((this.#windowBeforeLoss * (1 - CUBIC_BETA)) / CUBIC_C);
    const target = CUBIC_C * (seconds - plateau) ** 3 + this.#windowBeforeLoss;
    this.#window += Math.max((target - this.#window) / this.#window, 0.01 / this.#window);
  }

  /** What is lost is sent again as new; one cut for each window. */
  #lost(sequence: number): void {
    this.#inFlight.delete(sequence);
    this.#leftSegments += 1;
    if (sequence <= this.#recoverUntil) return;
    this.#recoverUntil = this.#next;
    this.#windowBeforeLoss = this.#window;
    this.#lossAtUs = this.#options.events.nowUs;
    this.#window = Math.max(this.#window * CUBIC_BETA, 2);
    this.#threshold = this.#window;
  }

  #watch(): void {
    const { events } = this.#options;
    const timeoutUs = Math.max(2 * this.#rttUs, MIN_TIMEOUT_US);
    events.after(timeoutUs, () => {
      if (this.#leftSegments === 0 && this.#inFlight.size === 0) return;
      if (events.nowUs - this.#lastAckUs >= timeoutUs && this.#inFlight.size > 0) {
        this.#leftSegments += this.#inFlight.size;
        this.#inFlight.clear();
        this.#threshold = Math.max(this.#window / 2, 2);
        this.#window = 1;
        this.#recoverUntil = this.#next;
        this.#lastAckUs = events.nowUs;
        this.#fill();
      }
      this.#watch();
    });
  }
}
