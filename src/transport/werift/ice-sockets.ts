import { type Address, type Connection, StunOverTurnProtocol, StunProtocol, TcpActiveProtocol } from 'werift';
import type { Lifetime } from '../../concurrency/lifetime.js';
import { FramelockError } from '../../core/errors.js';
import { TcpStreams } from './tcp-streams.js';
import { UdpSocket } from './udp-socket.js';
import { connectionInternals, stunInternals, turnInternals } from './werift-internals.js';

/** What sockets report. */
export interface IceSocketObserver {
  /** Everything that comes in, by a socket or by a relay. @param toIce hands STUN that was admitted to werift */
  readonly received: (datagram: Buffer, from: Address, toIce: (datagram: Buffer, from: Address) => void) => void;
  /** A datagram or a socket was refused. */
  readonly failed: (error: Error) => void;
}

/** Where packets can be handed over at once. */
export interface SendingSocket {
  /** Returns whether it was open; what happens to the datagram afterwards is up to the network. */
  sendNow(datagram: Buffer, address: string, port: number): boolean;
}

/** What the sockets of an agent are made with. */
export interface IceSocketsInit extends IceSocketObserver {
  /** Literal local addresses, one socket each. */
  readonly addresses: readonly string[];
  readonly portRange?: readonly [number, number];
  /** Of the agent. */
  readonly lifetime: Lifetime;
}

/**
 * Our sockets under werift's protocols, so that whatever comes in passes the guard first, and everything is closed when we say so.
 *
 * Owner of its state: the agent.
 */
export class IceSockets {
  readonly #init: IceSocketsInit;
  readonly #sockets = new Map<object, UdpSocket>();
  readonly #streams = new Map<object, TcpStreams>();
  readonly #opening = new Set<Promise<UdpSocket>>();
  readonly #unbound: string[];

  constructor(init: IceSocketsInit) {
    this.#init = init;
    this.#unbound = [...init.addresses];
  }

  /** Has `connection` use our sockets, and no others; called before it gathers. */
  takeOver(connection: Connection): void {
    const internals = connectionInternals(connection);
    const ensureProtocol = internals.ensureProtocol.bind(connection);
    internals.ensureProtocol = (protocol) => {
      if (protocol instanceof StunProtocol) this.#giveSocket(protocol);
      if (protocol instanceof StunOverTurnProtocol) this.#guardRelay(protocol);
      if (protocol instanceof TcpActiveProtocol) {
        this.#streams.set(protocol, new TcpStreams(protocol, this.#init.lifetime, this.#init));
      }
      ensureProtocol(protocol);
    };
  }

  /** What a protocol sends by; nothing for a relay. */
  of(protocol: object): SendingSocket | undefined {
    return this.#sockets.get(protocol) ?? this.#streams.get(protocol);
  }

  /** Closes all UDP sockets, those that are being opened included; werift closes its TCP connections. The agent has ended its lifetime before. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opening);
    const late = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    await Promise.all([...this.#sockets.values(), ...late].map((socket) => socket.close()));
  }

  #giveSocket(protocol: StunProtocol): void {
    // werift makes one protocol for each address, in order, before the first of them opens.
    const address = this.#unbound.shift();
    const { lifetime, received, failed } = this.#init;
    const { datagramReceived } = stunInternals(protocol);
    const toIce = datagramReceived.bind(protocol);
    protocol.connectionMade = async () => {
      const socket = await this.#open(address, {
        received: (datagram, from, port) => received(datagram, [from, port], toIce),
        failed,
      });
      this.#sockets.set(protocol, socket);
      protocol.transport = socket as unknown as StunProtocol['transport'];
    };
    const request = protocol.request.bind(protocol);
    // Checks bring their options; without any it is the question to a STUN server. werift's close would leave it, and its timer, unsettled.
    protocol.request = (message, to, key, retries, sent) =>
      request(message, to, key, retries ?? { signal: lifetime.signal }, sent);
  }

  async #open(address: string | undefined, observer: Parameters<typeof UdpSocket.open>[1]): Promise<UdpSocket> {
    const { lifetime, portRange, failed } = this.#init;
    if (address === undefined || lifetime.ended) throw new FramelockError('CLOSED', 'The ICE agent is closed');
    const opening = UdpSocket.open(portRange === undefined ? { address } : { address, portRange }, observer);
    this.#opening.add(opening);
    try {
      return await opening;
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      // `close` looks for it here.
      if (!lifetime.ended) this.#opening.delete(opening);
    }
  }

  #guardRelay(protocol: StunOverTurnProtocol): void {
    if (!this.#init.lifetime.enter('relay')) {
      // Nobody else would give the allocation back, and werift would refresh it for ever. Closing a socket cannot fail.
      void protocol.close();
      throw new FramelockError('CLOSED', 'The ICE agent was closed while a relay was allocated');
    }
    const internals = turnInternals(protocol);
    const toIce = internals.handleStunMessage.bind(protocol);
    internals.handleStunMessage = (datagram, from) => this.#init.received(datagram, from, toIce);
  }
}
