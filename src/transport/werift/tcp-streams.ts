import { encodeTcpFrame, type TcpActiveProtocol } from 'werift';
import type { Lifetime } from '../../concurrency/lifetime.js';
import { FramelockError } from '../../core/errors.js';
import type { IceSocketObserver } from './ice-sockets.js';
import { tcpInternals } from './werift-internals.js';

/**
 * What may wait in one connection, beyond what the operating system has taken. A connection that stands still must look like a network that loses
 * packets, and not hold seconds of old pictures: this is a quarter of a second at 2 Mbit/s.
 */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * Datagrams over the TCP connections of an active candidate (RFC 6544), each framed by its length (RFC 4571). werift dials and reads; everything that
 * comes in passes the guard, and everything that goes out is bounded.
 *
 * Owner of its state: werift's protocol, of which it is a view.
 */
export class TcpStreams {
  readonly #internals: ReturnType<typeof tcpInternals>;
  readonly #failed: (error: Error) => void;

  /** @param lifetime of the agent; nothing is dialled after its end */
  constructor(protocol: TcpActiveProtocol, lifetime: Lifetime, { received, failed }: IceSocketObserver) {
    const internals = tcpInternals(protocol);
    this.#internals = internals;
    this.#failed = failed;
    const toIce = internals.handleFrame.bind(protocol);
    internals.handleFrame = (frame, from) => received(frame, from, toIce);
    const registerSocket = internals.registerSocket.bind(protocol);
    internals.registerSocket = (socket, to) => {
      if (lifetime.ended) {
        socket.destroy();
        throw new FramelockError('CLOSED', 'The ICE agent is closed');
      }
      // A frame is sent when the pacer says so, not when the one before it is acknowledged.
      socket.setNoDelay(true);
      return registerSocket(socket, to);
    };
  }

  /** Hands a datagram to its connection, or drops it if too much waits there already. Returns whether there is a connection. */
  sendNow(datagram: Buffer, address: string, port: number): boolean {
    const socket = this.#internals.getOpenSocket([address, port])?.socket;
    if (socket === undefined) return false;
    if (socket.writableLength > MAX_WAITING_BYTES) {
      this.#failed(new Error(`the TCP connection to ${address}:${port} does not keep up`));
      return true;
    }
    socket.write(encodeTcpFrame(datagram));
    return true;
  }
}
