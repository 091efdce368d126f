import type { Clock } from '../../../src/core/clock.js';

/**
 * Holds each datagram for its time and hands them out in the order in which they came. Capacity: what arrives in that time, which the line bounds.
 * The machine's timers count whole milliseconds: a datagram leaves up to one later, never earlier.
 */
export class DelayLine {
  readonly #clock: Clock;
  readonly #deliver: (datagram: Buffer) => void;
  readonly #held: { readonly datagram: Buffer; readonly dueUs: number }[] = [];

  constructor(clock: Clock, deliver: (datagram: Buffer) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  push(datagram: Buffer, delayUs: number): void {
    const dueUs = Math.max(this.#clock.nowUs() + delayUs, this.#held.at(-1)?.dueUs ?? 0);
    this.#held.push({ datagram, dueUs });
    if (this.#held.length === 1) this.#schedule();
  }

  #schedule(): void {
    const [next] = this.#held;
    if (next === undefined) return;
    this.#clock.setTimer(Math.max(0, Math.ceil((next.dueUs - this.#clock.nowUs()) / 1000)), () => this.#fire());
  }

  #fire(): void {
    const nowUs = this.#clock.nowUs();
    for (let next = this.#held[0]; next !== undefined && next.dueUs <= nowUs; next = this.#held[0]) {
      this.#held.shift();
      this.#deliver(next.datagram);
    }
    this.#schedule();
  }
}
