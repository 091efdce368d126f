interface Candidate {
  readonly atUs: number;
  readonly value: number;
}

/**
 * The least value of the last while, in constant time on average: a value goes as soon as a later one is no larger, so that those left ascend and the
 * first is the least.
 *
 * Memory is bounded: a larger value within `resolutionUs` of the one before is passed over, so at most `windowUs / resolutionUs + 1` are kept.
 *
 * Owner: whoever made it.
 */
export class WindowedMinimum {
  readonly #windowUs: number;
  readonly #resolutionUs: number;
  /** Ascending in time and value. */
  #candidates: Candidate[] = [];

  constructor(windowUs: number, resolutionUs: number) {
    this.#windowUs = windowUs;
    this.#resolutionUs = resolutionUs;
  }

  /** Nothing while there is no value. */
  get value(): number | undefined {
    return this.#candidates[0]?.value;
  }

  /** A value that is a little older than the newest counts as of that one's time; one from before the window not at all. */
  add(value: number, atUs: number): void {
    const newestUs = Math.max(this.#candidates.at(-1)?.atUs ?? atUs, atUs);
    if (newestUs - atUs > this.#windowUs) return;
    let last = this.#candidates.at(-1);
    while (last !== undefined && last.value >= value) {
      this.#candidates.pop();
      last = this.#candidates.at(-1);
    }
    if (last === undefined || newestUs - last.atUs >= this.#resolutionUs) {
      this.#candidates.push({ atUs: newestUs, value });
    }
    const current = this.#candidates.findIndex((candidate) => newestUs - candidate.atUs <= this.#windowUs);
    if (current > 0) this.#candidates.splice(0, current);
  }

  clear(): void {
    this.#candidates = [];
  }
}
