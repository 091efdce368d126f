import { randomBytes } from 'node:crypto';

/** Randomness as an input, so that tests can replay a run. */
export interface Random {
  /** A uniformly distributed integer in [0, 2^32). */
  uint32(): number;
}

/** Randomness from the operating system, fit for SSRCs and initial sequence numbers (RFC 3550 section 5.1). */
export class SystemRandom implements Random {
  uint32(): number {
    return randomBytes(4).readUInt32BE(0);
  }
}
