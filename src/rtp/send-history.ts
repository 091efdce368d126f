import { FramelockError } from '../core/errors.js';
import { sequenceDistance } from '../core/sequence.js';
import type { RtpPacketHeader } from './rtp-packet.js';

/** Half of the sequence number space: beyond it two stored packets could be confused. */
const MAX_CAPACITY_PACKETS = 0x8000;
/** The newest packets, among which `spare` chooses (libwebrtc's rtp_packet_history.h, `kMaxPaddingHistory`). */
const SPARE_CANDIDATES = 63;
/** A shorter one is not worth its header (libwebrtc's rtp_sender.cc, `kMinPayloadPaddingBytes`). */
const MIN_SPARE_BYTES = 50;

/**
 * Bounds of a {@link SendHistory}; whichever is reached first drops the oldest packets. libwebrtc keeps packets for 1 s or three round trips at least, three times
 * that at most, and 9600 at most (rtp_packet_history.h).
 */
export interface SendHistoryLimits {
  /** Most packets, 1-32768. @default 2048 */
  readonly maxPackets?: number;
  /** Most payload bytes. @default 2097152, or 2 s at 8 Mbit/s */
  readonly maxBytes?: number;
  /** Highest age in microseconds: a packet sent longer ago comes too late for its frame. @default 2000000 */
  readonly maxAgeUs?: number;
}

/** What matters of a frame when some of it is lost. */
export interface FrameTraits {
  readonly isKeyFrame: boolean;
  /** Whether no other frame depends on it. */
  readonly isDiscardable: boolean;
}

/** A packet as it was first sent. Whoever sends it again renews the header extensions that tell of the sending itself. */
export interface SentPacket {
  readonly header: RtpPacketHeader;
  readonly payload: Uint8Array;
  readonly isDiscardable: boolean;
}

/** What the history has for a sequence number. */
export type LookupResult =
  | { readonly kind: 'found'; readonly packet: SentPacket }
  /** Never sent, or dropped from the history. */
  | { readonly kind: 'absent' }
  /** Waits to be sent again, or was less than the resend interval ago: the request crossed with that answer. */
  | { readonly kind: 'too-soon' };

/** What is to be done about a sending that was lost. */
export type LossVerdict =
  /** Send it again: it has been handed out, as by `lookup`. */
  | 'again'
  /** It is needed, but would come too late. */
  | 'too-late'
  /** Nobody misses it, or something was done about it already. */
  | 'nothing';

/** When a packet is of use that is sent again. */
export interface RepairLimits {
  /** Since its first sending, in microseconds. */
  readonly maxAgeUs: number;
  /** So many packets behind the newest one of its stream it is of none. */
  readonly windowPackets: number;
}

interface Entry extends SentPacket {
  readonly sentUs: number;
  resentUs: number | undefined;
  timesResent: number;
  /** How often it had been sent again, unasked, when the peer asked for the first time. */
  unasked: number | undefined;
  timesSpare: number;
  /** Handed out, and neither sent again nor given back. */
  isPending: boolean;
  /** What the peer has told of it: that it misses it, or that any sending arrived. */
  known: 'nothing' | 'missing' | 'arrived';
}

const DEPENDED_ON: FrameTraits = Object.freeze({ isKeyFrame: false, isDiscardable: false });

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
  /** The first packet of the newest key frame, while it is held. */
  #keyFrame: RtpPacketHeader | undefined;

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

  /** Keeps a packet that was just sent, and returns it. `payload` is kept, not copied, and must not be changed afterwards. */
  store(
    header: RtpPacketHeader,
    payload: Uint8Array,
    nowUs: number,
    { isKeyFrame, isDiscardable }: FrameTraits = DEPENDED_ON,
  ): SentPacket {
    if (this.#count === this.#maxPackets) this.#dropOldest();
    if (isKeyFrame && this.#keyFrame?.timestamp !== header.timestamp) this.#keyFrame = header;
    const entry: Entry = {
      header,
      payload,
      isDiscardable,
      sentUs: nowUs,
      resentUs: undefined,
      timesResent: 0,
      unasked: undefined,
      timesSpare: 0,
      isPending: false,
      known: 'nothing',
    };
    this.#ring[(this.#oldest + this.#count) % this.#maxPackets] = entry;
    this.#bySequence.set(header.sequenceNumber, entry);
    this.#count += 1;
    this.#bytes += payload.length;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
    this.#dropExpired(nowUs);
    return entry;
  }

  /**
   * Finds a packet in order to send it again; `resent` or `notResent` tells what became of it, and until then it is not handed out again. The first time it is
   * at once, after that not before `minResendIntervalUs` (about a round trip) has passed: receivers repeat their NACKs while the answer is under way. What went unasked is no
   * answer: who asks nevertheless may have dropped it, and reports it as arrived, as Janus does (its ice.c, `rtx_nacked`).
   * Source: libwebrtc modules/rtp_rtcp/source/rtp_packet_history.cc, `VerifyRtt` and `GetPacketAndMarkAsPending`.
   */
  lookup(sequenceNumber: number, nowUs: number, minResendIntervalUs: number): LookupResult {
    this.#dropExpired(nowUs);
    const entry = this.#bySequence.get(sequenceNumber);
    if (entry === undefined) return ABSENT;
    const wasAskedFor = entry.unasked !== undefined;
    entry.unasked ??= entry.timesResent;
    if (entry.isPending) return TOO_SOON;
    if (wasAskedFor && entry.resentUs !== undefined && nowUs - entry.resentUs < minResendIntervalUs) return TOO_SOON;
    entry.isPending = true;
    // Whoever asks knows better than what was reported.
    entry.known = 'missing';
    return { kind: 'found', packet: entry };
  }

  /** How often a packet has been sent again so far, otherwise than as a spare one. */
  timesResent({ header }: SentPacket): number {
    return this.#entryOf(header)?.timesResent ?? 0;
  }

  /**
   * A sending of a packet has arrived: no loss of the others matters any more, unless the packet is asked for.
   * @param timesResent how often the packet had been sent again with that sending
   */
  arrived({ header }: SentPacket, timesResent: number): void {
    const entry = this.#entryOf(header);
    if (entry === undefined || (timesResent > 0 && timesResent <= (entry.unasked ?? 0))) return;
    entry.known = 'arrived';
  }

  /** The first sending of a packet was lost. */
  missing({ header }: SentPacket): void {
    const entry = this.#entryOf(header);
    if (entry?.known === 'nothing') entry.known = 'missing';
  }

  /** Whether the peer is known to miss a packet, unless it has got it from a sending that is still to be heard of. */
  isMissing({ header }: SentPacket): boolean {
    return this.#entryOf(header)?.known === 'missing';
  }

  /**
   * A sending of a packet was lost. What became of a later one is yet to be heard; what was sent before a key frame is not needed any more.
   * @param timesResent how often the packet had been sent again with that sending
   * @param within what lies beyond comes too late
   */
  lost({ header }: SentPacket, timesResent: number, nowUs: number, within: RepairLimits): LossVerdict {
    const entry = this.#entryOf(header);
    if (entry === undefined || entry.known === 'arrived' || this.#isSuperseded(header)) return 'nothing';
    if (entry.isPending || entry.timesResent !== timesResent) return 'nothing';
    if (nowUs - entry.sentUs > within.maxAgeUs) return 'too-late';
    if (this.#packetsBehind(header) >= within.windowPackets) return 'too-late';
    entry.isPending = true;
    return 'again';
  }

  /**
   * A packet to send again at once where anything will do: of the newest ones that which was sent again least often, so that it may repair a loss that nobody has
   * noticed yet. It may be dropped by who has not asked for it, so requests are answered all the same. Packets of padding and very small ones are left out. Nothing
   * if there is none.
   * Source: libwebrtc's rtp_packet_history.cc, `GetPayloadPaddingPacket`.
   */
  spare(nowUs: number): SentPacket | undefined {
    this.#dropExpired(nowUs);
    let best: Entry | undefined;
    for (let age = 1; age <= Math.min(this.#count, SPARE_CANDIDATES); age += 1) {
      const entry = this.#ring[(this.#oldest + this.#count - age) % this.#maxPackets];
      if (entry === undefined || entry.isPending) continue;
      if (entry.header.padding === true || entry.payload.length < MIN_SPARE_BYTES) continue;
      if (best === undefined || timesRepeated(entry) < timesRepeated(best)) best = entry;
    }
    if (best !== undefined) best.timesSpare += 1;
    return best;
  }

  /** A packet that `lookup` handed out has been sent again. */
  resent({ header }: SentPacket, nowUs: number): void {
    const entry = this.#entryOf(header);
    if (entry === undefined) return;
    entry.isPending = false;
    entry.resentUs = nowUs;
    entry.timesResent += 1;
  }

  /** A packet that `lookup` handed out will not be sent again. */
  notResent({ header }: SentPacket): void {
    const entry = this.#entryOf(header);
    if (entry !== undefined) entry.isPending = false;
  }

  #packetsBehind({ sequenceNumber }: RtpPacketHeader): number {
    const newest = this.#ring[(this.#oldest + this.#count - 1) % this.#maxPackets];
    return newest === undefined ? 0 : sequenceDistance(sequenceNumber, newest.header.sequenceNumber);
  }

  #isSuperseded({ sequenceNumber }: RtpPacketHeader): boolean {
    return this.#keyFrame !== undefined && sequenceDistance(sequenceNumber, this.#keyFrame.sequenceNumber) > 0;
  }

  /** Nothing if it was dropped meanwhile, and its sequence number may have come round. */
  #entryOf(header: RtpPacketHeader): Entry | undefined {
    const entry = this.#bySequence.get(header.sequenceNumber);
    return entry?.header === header ? entry : undefined;
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
    // All that are left are newer.
    if (entry.header === this.#keyFrame) this.#keyFrame = undefined;
    const { sequenceNumber } = entry.header;
    // A sequence number that has come round again belongs to the newer packet.
    if (this.#bySequence.get(sequenceNumber) === entry) this.#bySequence.delete(sequenceNumber);
  }
}

function timesRepeated({ timesResent, timesSpare }: Entry): number {
  return timesResent + timesSpare;
}

function requireLimit(name: keyof SendHistoryLimits, value: number, highest: number): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > highest) {
    throw new FramelockError('INVALID_ARGUMENT', `${name} must be an integer in 1-${highest}, got ${value}`, {
      context: { [name]: value },
    });
  }
  return value;
}
