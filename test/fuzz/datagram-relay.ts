import type { Socket } from 'node:dgram';
import { openUdp } from '../support/network/udp.js';

const ADDRESS = '127.0.0.1';
/** Real datagrams of the peer that are remembered. */
const MAX_HEARD = 256;

/** Stands between a sender and its peer on loopback: to the sender, whatever it sends comes from the peer. */
export interface Relay {
  /** Where the sender finds its peer. */
  readonly address: string;
  readonly port: number;
  readonly senderPort: number;
  /** The last datagrams of the peer. */
  readonly heard: readonly Uint8Array[];
  toSender(datagram: Uint8Array): void;
  close(): Promise<void>;
}

/** @param answer of the peer, on loopback */
export async function relayTo(answer: string): Promise<Relay> {
  const peerPort = Number(/^a=candidate:\S+ 1 udp .* (\d+) typ host/m.exec(answer)?.[1]);
  const heard: Uint8Array[] = [];
  let senderPort = 0;
  let count = 0;
  const near: Socket = await openUdp({ address: ADDRESS, port: 0 }, (datagram, { port }) => {
    senderPort = port;
    far.send(datagram, peerPort, ADDRESS);
  });
  const far = await openUdp({ address: ADDRESS, port: 0 }, (datagram) => {
    heard[count % MAX_HEARD] = datagram;
    count += 1;
    near.send(datagram, senderPort, ADDRESS);
  });
  return {
    address: ADDRESS,
    port: near.address().port,
    get senderPort() {
      return senderPort;
    },
    heard,
    toSender: (datagram) => near.send(datagram, senderPort, ADDRESS),
    close: async () => {
      await Promise.all([near, far].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    },
  };
}
