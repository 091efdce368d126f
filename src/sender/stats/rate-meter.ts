/** Ten completed buckets make the window; the eleventh is the one being filled. */
const BUCKETS = 11;
const BUCKET_US = 100_000;

/** A rate over the last completed second, in constant memory: buckets of 100 ms. Time comes in as an argument. */
export class RateMeter {
  readonly #amounts = new Float64Array(BUCKETS);
  readonly #bucketAt = new Float64Array(BUCKETS).fill(-BUCKETS);

  add(amount: number, nowUs: number): void {
    const bucket = Math.floor(nowUs / BUCKET_US);
    const slot = bucket % BUCKETS;
    const earlier = this.#bucketAt[slot] === bucket ? (this.#amounts[slot] ?? 0) : 0;
    this.#bucketAt[slot] = bucket;
    this.#amounts[slot] = earlier + amount;
  }

  /** Amount per second over the ten completed buckets before now. */
  perSecond(nowUs: number): number {
    const current = Math.floor(nowUs / BUCKET_US);
    let total = 0;
    for (let slot = 0; slot < BUCKETS; slot += 1) {
      const age = current - (this.#bucketAt[slot] ?? 0);
      if (age >= 1 && age < BUCKETS) total += this.#amounts[slot] ?? 0;
    }
    return total;
  }
}
