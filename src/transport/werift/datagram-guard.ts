import { readDtlsRecords } from './dtls-record.js';
import { hasIntegrity, readStun } from './stun-message.js';

/** What an admitted datagram is (RFC 7983 section 7). */
export type DatagramKind = 'stun' | 'dtls' | 'srtp';

/** Why a datagram was dropped. */
export type RejectionReason =
  /** Its first byte belongs to no protocol that we speak. */
  | 'unknown-protocol'
  | 'malformed-stun'
  /** A Binding request without our user name, or not signed with our password (RFC 8445 section 7.3). */
  | 'unauthenticated-stun'
  /** DTLS or SRTP from an address that did not pass a connectivity check. */
  | 'foreign-source'
  | 'malformed-dtls'
  /** A plaintext record after the handshake: nobody but an intruder has a reason to send it. */
  | 'plaintext-dtls';

/** What the guard must know of the connection; read anew for every datagram, so an ICE or DTLS restart re-arms it. */
export interface GuardContext {
  readonly usernameFragment: string;
  readonly password: string;
  /** Whether the DTLS handshake is done. */
  readonly dtlsConnected: boolean;
  /** Whether an authenticated connectivity check to this address succeeded. */
  isPeer(address: string, port: number): boolean;
}

/** A kind to admit, or a reason to drop. */
export type Verdict = { readonly admit: DatagramKind } | { readonly reject: RejectionReason };

/**
 * Judges a datagram before ICE, DTLS or SRTP see it: any host can send to our ports, and the protocol stack behind the guard closes
 * DTLS on a forged alert and takes orders from unsigned STUN. Pure; never throws.
 */
export function judgeDatagram(datagram: Buffer, address: string, port: number, context: GuardContext): Verdict {
  const first = datagram[0] ?? 255;
  if (first < 4) return judgeStun(datagram, context);
  if (first >= 20 && first < 64) {
    if (!context.isPeer(address, port)) return { reject: 'foreign-source' };
    return judgeDtls(datagram, context);
  }
  if (first >= 128 && first < 192) {
    return context.isPeer(address, port) ? { admit: 'srtp' } : { reject: 'foreign-source' };
  }
  return { reject: 'unknown-protocol' };
}

function judgeStun(datagram: Buffer, context: GuardContext): Verdict {
  const message = readStun(datagram);
  if (message === undefined) return { reject: 'malformed-stun' };
  // Responses are matched to their requests, source and signature included, by the ICE agent.
  if (!message.isRequest) return { admit: 'stun' };
  const { username, integrityOffset } = message;
  const isSigned =
    username?.startsWith(`${context.usernameFragment}:`) === true &&
    integrityOffset !== undefined &&
    hasIntegrity(datagram, integrityOffset, context.password);
  return isSigned ? { admit: 'stun' } : { reject: 'unauthenticated-stun' };
}

function judgeDtls(datagram: Buffer, context: GuardContext): Verdict {
  const records = readDtlsRecords(datagram);
  if (records === undefined) return { reject: 'malformed-dtls' };
  if (context.dtlsConnected && records.some(({ epoch }) => epoch === 0)) return { reject: 'plaintext-dtls' };
  return { admit: 'dtls' };
}

/** Applies {@link judgeDatagram} and counts. Owner of the counts: the ICE agent's receive path. */
export class DatagramGuard {
  readonly #rejected = new Map<RejectionReason, number>();

  /** The kind of an admitted datagram; nothing for one to drop. */
  admit(datagram: Buffer, address: string, port: number, context: GuardContext): DatagramKind | undefined {
    const verdict = judgeDatagram(datagram, address, port, context);
    if ('admit' in verdict) return verdict.admit;
    this.#rejected.set(verdict.reject, (this.#rejected.get(verdict.reject) ?? 0) + 1);
    return undefined;
  }

  /** Dropped datagrams by reason. */
  get rejected(): ReadonlyMap<RejectionReason, number> {
    return this.#rejected;
  }

  get rejectedTotal(): number {
    let total = 0;
    for (const count of this.#rejected.values()) total += count;
    return total;
  }
}
