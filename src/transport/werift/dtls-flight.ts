import type { Clock, Timer } from '../../core/clock.js';

/** What a flight needs from its session. */
export interface DtlsFlightInit {
  readonly clock: Clock;
  /** Sends a datagram. Must not throw. */
  readonly send: (datagram: Buffer) => void;
  /** The last repetition got no answer either. */
  readonly unanswered: () => void;
}

/** The first repetition comes after this time, each further one this much later than the one before it; werift's schedule. */
const REPEAT_STEP_MS = 500;
/** Repetitions of a flight before it is given up, 33 s after it was first sent; werift's number. */
const MAX_REPETITIONS = 10;

/**
 * The datagrams of a handshake that await their answer, repeated until it comes (RFC 6347 section 4.2.4). There is one flight at a time:
 * sending the next one, or `stop`, ends the repetition at once, and no timer is left.
 *
 * Owner of its state: the session.
 */
export class DtlsFlight {
  readonly #init: DtlsFlightInit;
  #timer: Timer | undefined;

  constructor(init: DtlsFlightInit) {
    this.#init = init;
  }

  /** Sends a flight, now and repeatedly, in place of the one before it. */
  send(datagrams: readonly Buffer[]): void {
    this.#transmit(datagrams, 0);
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
  }

  #transmit(datagrams: readonly Buffer[], repetition: number): void {
    this.stop();
    for (const datagram of datagrams) this.#init.send(datagram);
    this.#timer = this.#init.clock.setTimer(REPEAT_STEP_MS * (repetition + 1), () => {
      if (repetition < MAX_REPETITIONS) this.#transmit(datagrams, repetition + 1);
      else this.#init.unanswered();
    });
  }
}
