import { Candidate, type Connection } from 'werift';
import type { Clock, Timer } from '../../core/clock.js';
import type { RemoteCandidate } from '../sdp/answer-transport.js';

/**
 * How much longer than the first checks by UDP a way by TCP has to wait: over TCP a lost packet holds up all that follow it, so it is for networks that
 * let no UDP through, and one lost check should not decide for it.
 */
const TCP_PATIENCE_MS = 1000;

/**
 * Which of the peer's candidates are checked, and when: those of UDP at once, those of TCP a second later, or at once where there are no others.
 *
 * Owner of its state: the agent.
 */
export class RemoteCandidates {
  readonly #connection: Connection;
  readonly #clock: Clock;
  #patience: Timer | undefined;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Once. */
  check(candidates: readonly RemoteCandidate[]): void {
    const streams = candidates.filter(isStream);
    const datagrams = candidates.filter((candidate) => !isStream(candidate));
    this.#add(datagrams);
    if (datagrams.length === 0) this.#add(streams);
    else this.#patience = this.#clock.setTimer(TCP_PATIENCE_MS, () => this.#add(streams));
  }

  /** Nothing more is checked. Idempotent. */
  cancel(): void {
    this.#patience?.cancel();
  }

  #add(candidates: readonly RemoteCandidate[]): void {
    if (this.#connection.nominated !== undefined) return;
    for (const { foundation, transport, priority, address, port, type } of candidates) {
      const tcpType = transport === 'tcp' ? 'passive' : undefined;
      const related = [undefined, undefined] as const;
      // Resolves at once, for literal addresses.
      void this.#connection.addRemoteCandidate(
        new Candidate(foundation, 1, transport, priority, address, port, type, ...related, tcpType),
      );
    }
  }
}

function isStream({ transport }: RemoteCandidate): boolean {
  return transport === 'tcp';
}
