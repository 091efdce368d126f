import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Endpoint } from './addresses.js';

/** Bursts wait here instead of being lost; the kernel may grant less. */
const RECEIVE_BUFFER_BYTES = 4_000_000;

/** Opens a socket; addresses are literal, so datagrams leave in the call that sends them. */
export async function openUdp(
  { address, port }: Endpoint,
  received: (datagram: Buffer, from: RemoteInfo) => void,
): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    lookup: (host, _options, callback) => callback(null, host, 4),
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  const listening = once(socket, 'listening');
  socket.bind({ address, port, exclusive: true });
  await listening;
  socket.on('message', received);
  return socket;
}
