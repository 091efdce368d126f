import type { ReceivedRtp } from './media-link.js';

/** Packets kept for retransmission: about a second of one 4 Mbit/s camera. The oldest is overwritten. */
export const CACHE_PACKETS = 512;

/** The last packets of one stream, by sequence number. */
export class PacketCache {
  readonly #slots: (ReceivedRtp | undefined)[] = new Array<ReceivedRtp | undefined>(CACHE_PACKETS).fill(undefined);

  put(packet: ReceivedRtp): void {
    this.#slots[packet.sequenceNumber % CACHE_PACKETS] = packet;
  }

  get(sequenceNumber: number): ReceivedRtp | undefined {
    const packet = this.#slots[sequenceNumber % CACHE_PACKETS];
    return packet?.sequenceNumber === sequenceNumber ? packet : undefined;
  }
}
