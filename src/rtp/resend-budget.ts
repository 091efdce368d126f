/**
 * Most bytes that may be sent again, as a share of those that were sent for the first time in the same second. It repairs a loss of 30 % (which asks for 43 %, or
 * 0.3 / 0.7); whoever loses more is served better by a key frame, since what is sent again goes before what is new and would starve it. libwebrtc takes no more
 * than the same half off its encoders for protection (modules/video_coding/fec_controller_default.cc, `kProtectionOverheadRateThreshold`).
 */
export const MAX_RESENT_SHARE = 0.5;
/** However little was sent: some packets of 1200 bytes, so that the first frames and the last ones before a pause can be repaired. */
export const ALWAYS_RESENT_BYTES = 6_000;

/**
 * The same for what may not be needed, in a budget of its own, so that it takes nothing from what is: doubles of repetitions, and what is sent on a mere guess that it was
 * lost. Where a tenth is lost, doubles take 12 %, and a tenth of the feedback says nothing of a tenth of the packets.
 */
export const MAX_EXTRA_SHARE = 0.25;

const BUCKETS = 10;
const BUCKET_US = 100_000;

/**
 * Bounds what a storm of NACKs can cause: retransmissions are at most a share of what the stream has sent in the last second. (libwebrtc
 * allows as much as the whole target, over half a second: rtp_sender.cc, `retransmission_rate_limiter_`.)
 *
 * Times are microseconds of one monotonic clock. Owner: whoever answers the NACKs of one stream.
 */
export class ResendBudget {
  readonly #share: number;
  readonly #sent = new LastSecond();
  readonly #resent = new LastSecond();

  /** @param share of what is sent for the first time that may be sent again */
  constructor(share = MAX_RESENT_SHARE) {
    this.#share = share;
  }

  /** A packet was sent for the first time. */
  sent(sizeBytes: number, nowUs: number): void {
    this.#sent.add(sizeBytes, nowUs);
  }

  /** Whether a packet of this size may be sent again now; if so, it counts as sent again. */
  take(sizeBytes: number, nowUs: number): boolean {
    const allowedBytes = Math.max(this.#share * this.#sent.total(nowUs), ALWAYS_RESENT_BYTES);
    if (this.#resent.total(nowUs) + sizeBytes > allowedBytes) return false;
    this.#resent.add(sizeBytes, nowUs);
    return true;
  }
}

/** The sum of a second, give or take a tenth, in constant memory; unlike a rate over full buckets it knows of what was added just now. */
class LastSecond {
  readonly #amounts = new Float64Array(BUCKETS);
  readonly #bucketOf = new Float64Array(BUCKETS).fill(Number.NEGATIVE_INFINITY);

  add(amount: number, nowUs: number): void {
    const bucket = Math.floor(nowUs / BUCKET_US);
    const slot = bucket % BUCKETS;
    const before = this.#bucketOf[slot] === bucket ? (this.#amounts[slot] ?? 0) : 0;
    this.#bucketOf[slot] = bucket;
    this.#amounts[slot] = before + amount;
  }

  total(nowUs: number): number {
    const oldest = Math.floor(nowUs / BUCKET_US) - BUCKETS + 1;
    return this.#amounts.reduce((sum, amount, slot) => ((this.#bucketOf[slot] ?? 0) >= oldest ? sum + amount : sum), 0);
  }
}
