/** Packets below the highest index by this much or more count as replayed (RFC 3711 section 3.3.2: at least 64). */
const WINDOW_BITS = 64;
/** Streams remembered; a peer uses a few. Beyond it the oldest is forgotten. */
const MAX_STREAMS = 256;

interface StreamWindow {
  highest: number;
  /** Bit n: index `highest - n` was seen. */
  seen: bigint;
}

/**
 * Replay protection for received SRTCP (RFC 3711 section 3.3.2), which werift lacks. Feed it authenticated packets only.
 *
 * Owner: the SRTP session of one connection.
 */
export class ReplayWindow {
  readonly #streams = new Map<number, StreamWindow>();

  /** Whether the packet is new; remembers it. `index`: SRTCP index, 31 bits. */
  accept(ssrc: number, index: number): boolean {
    const stream = this.#streams.get(ssrc);
    if (stream === undefined) {
      const [oldest] = this.#streams.keys();
      if (this.#streams.size >= MAX_STREAMS && oldest !== undefined) this.#streams.delete(oldest);
      this.#streams.set(ssrc, { highest: index, seen: 1n });
      return true;
    }
    if (index > stream.highest) {
      const shift = Math.min(index - stream.highest, WINDOW_BITS);
      stream.seen = BigInt.asUintN(WINDOW_BITS, (stream.seen << BigInt(shift)) | 1n);
      stream.highest = index;
      return true;
    }
    const age = stream.highest - index;
    if (age >= WINDOW_BITS) return false;
    const bit = 1n << BigInt(age);
    if ((stream.seen & bit) !== 0n) return false;
    stream.seen |= bit;
    return true;
  }
}
