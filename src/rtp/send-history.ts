import { FramelockError } from '../core/errors.js';
import type { RtpPacketHeader } from './rtp-packet.js';

/** Half of the sequence number space: beyond it two stored packets could be confused. */
const MAX_CAPACITY_PACKETS = 0x8000;

/** Bounds of a {@link SendHistory}; whichever is reached first drops the oldest packets. */
export interface SendHistoryLimits {
  /** Most packets, 1-32768. @default 2048 */
  readonly maxPackets?: number;
  /** Most payload bytes. @default 2097152, or 2 s at 8 Mbit/s */
  readonly maxBytes?: number;
  /** Highest age in microseconds: a packet sent longer ago comes too late for its frame. @default 2000000 */
  readonly maxAgeUs?: number;
}

/** A packet as it was first sent. Whoever sends it again renews the header extensions that tell of the sending itself. */
export interface SentPacket {
  readonly header: RtpPacketHeader;
  readonly payload: Uint8Array;
}

/** What the history has for a sequence number. */
export type LookupResult =
  | { readonly kind: 'found'; readonly packet: SentPacket }
  /** Never sent, or dropped from the history. */
  | { readonly kind: 'absent' }
  /** Handed out for sending less than the resend interval ago: the request crossed with that answer. */
  | { readonly kind: 'too-soon' };

interface Entry extends SentPacket {
  readonly sentUs: number;
  resentUs: number | undefined;
}

const ABSENT: LookupResult = Object.freeze({ kind: 'absent' });
const TOO_SOON: LookupResult = Object.freeze({ kind: 'too-soon' });

/**
 * The packets that a stream sent of late, to answer NACKs by sending them again (RFC 4585 section 6.2.1). Bounded in packets, bytes
 * and age; when a bound is reached the oldest packets go. A ring keeps the order of sending and a map finds a sequence number, so
 * storing and looking up take constant time.
 *
 * Times are microseconds of one monotonic clock. Owner of all fields: whoever writes the stream's packets to the socket.
 */
export class SendHistory {
  readonly #maxPackets: number;
  readonly #maxBytes: number;
  readonly #maxAgeUs: number;
  readonly #ring: (Entry | undefined)[];
  readonly #bySequence = new Map<number, Entry>();
  #oldest = 0;
  #count = 0;
  #bytes = 0;

  /** @throws FramelockError INVALID_ARGUMENT for a limit out of range */
  constructor(limits: SendHistoryLimits = {}) {
    this.#maxPackets = requireLimit('maxPackets', limits.maxPackets ?? 2048, MAX_CAPACITY_PACKETS);
    this.#maxBytes = requireLimit('maxBytes', limits.maxBytes ?? 2 * 1024 * 1024, Number.MAX_SAFE_INTEGER);
    this.#maxAgeUs = requireLimit('maxAgeUs', limits.maxAgeUs ?? 2_000_000, Number.MAX_SAFE_INTEGER);
    this.#ring = new Array<Entry | undefined>(this.#maxPackets).fill(undefined);
  }

  /** Packets held. */
  get packets(): number {
    return this.#count;
  }

  /** Payload bytes held. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Keeps a packet that was just sent. `payload` is kept, not copied, and must not be changed afterwards. */
  store(header: RtpPacketHeader, payload: Uint8Array, nowUs: number): void {
    if (this.#count === this.#maxPackets) this.#dropOldest();
    const entry: Entry = { header, payload, sentUs: nowUs, resentUs: undefined };
    this.#ring[(this.#oldest + this.#count) % this.#maxPackets] = entry;
    this.#bySequence.set(header.sequenceNumber, entry);
    this.#count += 1;
    this.#bytes += payload.length;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
    this.#dropExpired(nowUs);
  }

  /**
   * Finds a packet in order to send it again, and notes that it is being sent. The first time it is handed out at once, after that not
   * before `minResendIntervalUs` (about a round trip) has passed: receivers repeat their NACKs while the answer is under way.
   * Source: libwebrtc modules/rtp_rtcp/source/rtp_packet_history.cc, `VerifyRtt`.
   */
  lookup(sequenceNumber: number, nowUs: number, minResendIntervalUs: number): LookupResult {
    this.#dropExpired(nowUs);
    const entry = this.#bySequence.get(sequenceNumber);
    if (entry === undefined) return ABSENT;
    if (entry.resentUs !== undefined && nowUs - entry.resentUs < minResendIntervalUs) return TOO_SOON;
    entry.resentUs = nowUs;
    return { kind: 'found', packet: { header: entry.header, payload: entry.payload } };
  }

  #dropExpired(nowUs: number): void {
    for (let entry = this.#ring[this.#oldest]; entry !== undefined; entry = this.#ring[this.#oldest]) {
      if (nowUs - entry.sentUs <= this.#maxAgeUs) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const entry = this.#ring[this.#oldest];
    if (entry === undefined) return;
    this.#ring[this.#oldest] = undefined;
    this.#oldest = (this.#oldest + 1) % this.#maxPackets;
    this.#count -= 1;
    this.#bytes -= entry.payload.length;
    const { sequenceNumber } = entry.header;
    // A sequence number that has come round again belongs to the newer packet.
    if (this.#bySequence.get(sequenceNumber) === entry) this.#bySequence.delete(sequenceNumber);
  }
}

function requireLimit(name: keyof SendHistoryLimits, value: number, highest: number): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > highest) {
    throw new FramelockError('INVALID_ARGUMENT', `${name} must be an integer in 1-${highest}, got ${value}`, {
      context: { [name]: value },
    });
  }
  return value;
}
