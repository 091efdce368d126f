import { seededRandom } from '../exploration/seeded-random.js';

/** Choices that are the same for the same seed. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    const random = seededRandom(seed);
    // The generator's low bits repeat after a few numbers; its high bits do not.
    this.#next = () => random.uint32() / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** A number from `from` up to, but not including, `to`. */
  between(from: number, to: number): number {
    return from + this.#next() * (to - from);
  }

  pick<T>(choices: readonly [T, ...(readonly T[])]): T {
    return choices[Math.floor(this.#next() * choices.length)] ?? choices[0];
  }
}
