/**
 * The rollover counter of an SRTP packet to send (RFC 3711 section 3.3.1 and appendix A), for retransmissions of any age within half the
 * sequence number space. werift's own counter goes wrong for good when sequence number 0 is sent again after 100 later packets.
 *
 * Owner: the SRTP session of one connection.
 */
export class RolloverCounter {
  /** Highest packet index (counter x 2^16 + sequence number) by SSRC. */
  readonly #highest = new Map<number, number>();

  /** Counter for the packet; remembers it as sent. */
  next(ssrc: number, sequenceNumber: number): number {
    const highest = this.#highest.get(ssrc);
    if (highest === undefined) {
      this.#highest.set(ssrc, sequenceNumber);
      return 0;
    }
    // Signed distance on the sequence number circle, -32768 to 32767.
    const distance = ((sequenceNumber - (highest & 0xffff)) << 16) >> 16;
    const index = highest + distance;
    // From before the first packet: there is no counter below 0.
    if (index < 0) return 0;
    if (index > highest) this.#highest.set(ssrc, index);
    return Math.floor(index / 0x1_0000);
  }
}
