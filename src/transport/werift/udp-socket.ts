import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, isIPv6 } from 'node:net';
import { FramelockError } from '../../core/errors.js';

/** Where a socket is bound. */
export interface UdpBinding {
  /** Literal local address. */
  readonly address: string;
  /** First and last port that may be used, both included; any free port without it. */
  readonly portRange?: readonly [number, number];
}

/** What a socket reports. */
export interface UdpSocketObserver {
  received(datagram: Buffer, address: string, port: number): void;
  /** The operating system refused a datagram (no route, buffer full) or the socket. */
  failed(error: Error): void;
}

/**
 * A bound UDP socket whose sends happen at once. Node resolves every address first, literal ones too, which delays each send to the next
 * tick; a synchronous look-up avoids that. Errors are reported; without a listener they would end the process.
 *
 * It has the shape of werift's `Transport`.
 */
export class UdpSocket {
  readonly type = 'udp';
  readonly address: AddressInfo;
  readonly addressFamily: 4 | 6;
  closed = false;
  /** Set by werift's protocols; unused, since datagrams go to the observer. */
  onData: (datagram: Buffer, address: readonly [string, number]) => void = () => undefined;
  readonly #socket: Socket;
  readonly #sent: (error: Error | null) => void;
  #closing: Promise<void> | undefined;

  private constructor(socket: Socket, observer: UdpSocketObserver) {
    this.#socket = socket;
    this.address = socket.address();
    this.addressFamily = isIPv6(this.address.address) ? 6 : 4;
    this.#sent = (error) => {
      if (error !== null && !this.closed) observer.failed(error);
    };
    socket.on('error', (error) => observer.failed(error));
    socket.on('message', (datagram, { address, port }) => {
      // A zone (`fe80::1%eth0`) is part of neither candidates nor checks.
      if (!this.closed) observer.received(datagram, address.split('%', 1)[0] ?? address, port);
    });
  }

  /** @throws FramelockError CONNECT_FAILED: the address is not ours, or no port of the range is free */
  static async open(binding: UdpBinding, observer: UdpSocketObserver): Promise<UdpSocket> {
    const [firstPort, lastPort] = binding.portRange ?? [0, 0];
    let cause: unknown;
    for (let port = firstPort; port <= lastPort; port += 1) {
      try {
        return new UdpSocket(await bind(binding.address, port), observer);
      } catch (error) {
        cause = error;
      }
    }
    throw new FramelockError('CONNECT_FAILED', `No UDP port could be opened on ${binding.address}`, {
      cause,
      context: { address: binding.address, firstPort, lastPort },
    });
  }

  /** Hands a datagram to the operating system, synchronously. Returns whether the socket was open. */
  sendNow(datagram: Uint8Array, address: string, port: number): boolean {
    if (this.closed) return false;
    this.#socket.send(datagram, port, address, this.#sent);
    return true;
  }

  /** As `sendNow`, in the shape that werift's ICE agent calls. */
  readonly send = async (datagram: Buffer, address?: readonly [string, number]): Promise<void> => {
    if (address !== undefined) this.sendNow(datagram, address[0], address[1]);
  };

  /** Idempotent; resolves when the handle is gone. */
  readonly close = (): Promise<void> => {
    this.closed = true;
    this.#closing ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closing;
  };
}

async function bind(address: string, port: number): Promise<Socket> {
  const isV6 = isIPv6(address);
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    lookup: (host, _options, callback) => callback(null, host, isV6 ? 6 : 4),
  });
  try {
    // Before the bind: with a synchronous look-up it is done when `bind` returns.
    const listening = once(socket, 'listening');
    socket.bind({ address, port, exclusive: true });
    await listening;
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
