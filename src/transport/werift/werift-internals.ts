import type { Socket } from 'node:net';
import type {
  Address,
  Candidate,
  Connection,
  DtlsClient,
  Protocol,
  StunOverTurnProtocol,
  StunProtocol,
  TcpActiveProtocol,
} from 'werift';
import { FramelockError } from '../../core/errors.js';

/**
 * The members that werift 0.25.2 declares private and that we reach for; all of them, so that an upgrade has one place to check.
 * {@link assertInternals} makes a version without them fail at once and loudly, rather than run unguarded.
 */

/** `Connection` */
export interface ConnectionInternals {
  /** Called with every protocol before its socket exists. Replaced, to give the protocol our socket. */
  ensureProtocol(protocol: Protocol): void;
  /** All sockets and relays. Read, to pair those that came late. */
  readonly protocols: readonly Protocol[];
  /** Pairs a candidate of ours with those of the peer. Called for relays that come late, which werift leaves alone. */
  pairLocalProtocol(protocol: Protocol): void;
  /** Makes a connectivity check. Called, to check the pair in use whenever the peer is silent. */
  buildRequest(check: {
    readonly nominate: boolean;
    readonly localUsername: string;
    readonly remoteUsername: string;
    readonly iceControlling: boolean;
    readonly localCandidate: Candidate;
  }): Parameters<StunProtocol['request']>[0];
}

/** `StunProtocol`: takes a datagram from its socket. Called with STUN that the guard admitted. */
export interface StunProtocolInternals {
  datagramReceived(datagram: Buffer, address: Address): void;
}

/** `StunOverTurnProtocol`: takes a datagram out of its relay. Wrapped, to put the guard in front. */
export interface TurnProtocolInternals {
  handleStunMessage(datagram: Buffer, address: Address): void;
}

/** `TcpActiveProtocol`: the connections of an active candidate. */
export interface TcpProtocolInternals {
  /** Takes a datagram out of a connection. Wrapped, to put the guard in front. */
  handleFrame(datagram: Buffer, address: Address): void;
  /** Called with every connection before it is established. Wrapped, to set its options. */
  registerSocket(socket: Socket, address: Address): { readonly socket: Socket };
  /** The established or nascent connection to an address. Called, to write to it at once. */
  getOpenSocket(address: Address): { readonly socket: Socket } | undefined;
}

/** `DtlsClient`: holds a handshake message until those that it overtook are there, polling with a timer. Replaced, to have no timer. */
export interface DtlsInternals {
  waitForReady(condition: () => boolean): Promise<void>;
}

export function connectionInternals(connection: Connection): ConnectionInternals {
  const internals = connection as unknown as ConnectionInternals;
  assertInternals(internals, 'ensureProtocol');
  assertInternals(internals, 'protocols');
  assertInternals(internals, 'pairLocalProtocol');
  return assertInternals(internals, 'buildRequest');
}

export function stunInternals(protocol: StunProtocol): StunProtocolInternals {
  return assertInternals(protocol as unknown as StunProtocolInternals, 'datagramReceived');
}

export function turnInternals(protocol: StunOverTurnProtocol): TurnProtocolInternals {
  return assertInternals(protocol as unknown as TurnProtocolInternals, 'handleStunMessage');
}

export function tcpInternals(protocol: TcpActiveProtocol): TcpProtocolInternals {
  const internals = protocol as unknown as TcpProtocolInternals;
  assertInternals(internals, 'handleFrame');
  assertInternals(internals, 'registerSocket');
  return assertInternals(internals, 'getOpenSocket');
}

export function dtlsInternals(client: DtlsClient): DtlsInternals {
  return assertInternals(client as unknown as DtlsInternals, 'waitForReady');
}

function assertInternals<T extends object>(target: T, member: keyof T & string): T {
  if (typeof target[member] === 'function' || Array.isArray(target[member])) return target;
  throw new FramelockError('CONNECT_FAILED', `This version of werift has no ${member}; 0.25.2 is supported`, {
    context: { member },
  });
}
