import type { Address, Connection, DtlsClient, Protocol, StunOverTurnProtocol, StunProtocol } from 'werift';
import { FramelockError } from '../../core/errors.js';

/**
 * The members that werift 0.25.2 declares private and that we reach for; all of them, so that an upgrade has one place to check.
 * {@link assertInternals} makes a version without them fail at once and loudly, rather than run unguarded.
 */

/** `Connection`: called with every protocol before its socket exists. Replaced, to give the protocol our socket. */
export interface ConnectionInternals {
  ensureProtocol(protocol: Protocol): void;
}

/** `StunProtocol`: takes a datagram from its socket. Called with STUN that the guard admitted. */
export interface StunProtocolInternals {
  datagramReceived(datagram: Buffer, address: Address): void;
}

/** `StunOverTurnProtocol`: takes a datagram out of its relay. Wrapped, to put the guard in front. */
export interface TurnProtocolInternals {
  handleStunMessage(datagram: Buffer, address: Address): void;
}

/** `DtlsClient`: holds a handshake message until those that it overtook are there, polling with a timer. Replaced, to have no timer. */
export interface DtlsInternals {
  waitForReady(condition: () => boolean): Promise<void>;
}

export function connectionInternals(connection: Connection): ConnectionInternals {
  return assertInternals(connection as unknown as ConnectionInternals, 'ensureProtocol');
}

export function stunInternals(protocol: StunProtocol): StunProtocolInternals {
  return assertInternals(protocol as unknown as StunProtocolInternals, 'datagramReceived');
}

export function turnInternals(protocol: StunOverTurnProtocol): TurnProtocolInternals {
  return assertInternals(protocol as unknown as TurnProtocolInternals, 'handleStunMessage');
}

export function dtlsInternals(client: DtlsClient): DtlsInternals {
  return assertInternals(client as unknown as DtlsInternals, 'waitForReady');
}

function assertInternals<T extends object>(target: T, member: keyof T & string): T {
  if (typeof target[member] === 'function') return target;
  throw new FramelockError('CONNECT_FAILED', `This version of werift has no ${member}; 0.25.2 is supported`, {
    context: { member },
  });
}
