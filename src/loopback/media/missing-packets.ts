/** A larger gap is not repaired by retransmission but by a key frame. */
export const MAX_NACKED_GAP = 64;
/** Most packets of a stream that are missed at a time; with more, a key frame is cheaper. (libwebrtc's nack_requester.cc allows 1000, `kMaxNackPackets`.) */
export const MAX_MISSING = 256;
/** How long an answer is waited for: the round trip that libwebrtc assumes where it knows none (nack_requester.cc, `kDefaultRtt`). */
export const REQUEST_INTERVAL_US = 100_000;
/** How often a packet is asked for (nack_requester.cc, `kMaxNackRetries`). */
export const MAX_REQUESTS = 10;

interface Request {
  lastUs: number;
  count: number;
}

/** What is missing of one stream, and when it is to be asked for. Bounded in packets and in requests for each. */
export class MissingPackets {
  readonly #requests = new Map<number, Request>();

  /** Packets are missing: to be asked for now. Returns whether they are too many to wait for; nothing is missed any more then. */
  add(sequenceNumbers: readonly number[], nowUs: number): boolean {
    for (const sequenceNumber of sequenceNumbers) this.#requests.set(sequenceNumber, { lastUs: nowUs, count: 1 });
    if (this.#requests.size <= MAX_MISSING) return false;
    this.clear();
    return true;
  }

  /** A packet has arrived. Returns whether it was missing. */
  arrived(sequenceNumber: number): boolean {
    return this.#requests.delete(sequenceNumber);
  }

  /** What is to be asked for once more; what was asked for often enough is missed no more, and `lost` tells that there was some. */
  due(nowUs: number): { readonly again: readonly number[]; readonly lost: boolean } {
    const again: number[] = [];
    let lost = false;
    for (const [sequenceNumber, request] of this.#requests) {
      if (nowUs - request.lastUs < REQUEST_INTERVAL_US) continue;
      if (request.count === MAX_REQUESTS) {
        this.#requests.delete(sequenceNumber);
        lost = true;
        continue;
      }
      request.lastUs = nowUs;
      request.count += 1;
      again.push(sequenceNumber);
    }
    return { again, lost };
  }

  /** Nothing is missed any more: a key frame will follow. */
  clear(): void {
    this.#requests.clear();
  }
}
