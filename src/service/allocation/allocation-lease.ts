import type { Clock, Timer } from '../../core/clock.js';
import type { LeaseRequest } from '../schema/allocation-schema.js';
import type { CheckedDocument } from './allocation-document.js';
import { LeaseHeld } from './lease-held.js';

/** A controller's claim on the allocation, until it expires. */
export interface Lease extends LeaseRequest {
  readonly document: CheckedDocument;
  readonly expiresAtUs: number;
}

/** @throws LeaseHeld if somebody else holds it */
export function assertFree(lease: Lease | undefined, owner: string | undefined, nowUs: number): void {
  if (lease === undefined || lease.expiresAtUs <= nowUs || lease.owner === owner) return;
  throw new LeaseHeld({ owner: lease.owner, expiresInMs: Math.ceil((lease.expiresAtUs - nowUs) / 1000) });
}

/** The one timer of a lease. Owner: the desk. */
export class LeaseTimer {
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expired` when the lease has run out, in place of an earlier call. */
  set(lease: Lease | undefined, expired: (lease: Lease) => void): void {
    this.cancel();
    if (lease === undefined) return;
    const delayMs = Math.max(0, (lease.expiresAtUs - this.#clock.nowUs()) / 1000);
    this.#timer = this.#clock.setTimer(delayMs, () => expired(lease));
  }

  /** Calls `again` after a while, in place of an earlier call. */
  retry(delayMs: number, again: () => void): void {
    this.cancel();
    this.#timer = this.#clock.setTimer(delayMs, again);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
