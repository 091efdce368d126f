import { FramelockError } from '../../core/errors.js';

/** Who holds the allocation, and for how much longer, in milliseconds. */
export interface HeldLease {
  readonly owner: string;
  readonly expiresInMs: number;
}

/** LEASE_HELD: somebody else decides for now. */
export class LeaseHeld extends FramelockError {
  readonly lease: HeldLease;

  constructor(lease: HeldLease) {
    const { owner, expiresInMs } = lease;
    super(
      'LEASE_HELD',
      `"${owner}" holds a lease on this allocation for another ${expiresInMs} ms: wait, or take it over with "takeover": true`,
      { context: { owner, expiresInMs } },
    );
    this.lease = Object.freeze({ owner, expiresInMs });
  }
}
