/** Chance that repeats itself: the same seed, the same numbers (mulberry32, T. Ettinger, public domain algorithm). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  uniform(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Centred on 0, with a mean absolute value of `scale`. */
  laplace(scale: number): number {
    const uniform = this.next() - 0.5;
    return -scale * Math.sign(uniform) * Math.log(Math.max(1 - 2 * Math.abs(uniform), 1e-12));
  }
}
