import type { Random } from '../../src/core/random.js';

/** Numbers at which integers of some width end, or change their sign. */
const EDGE_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff] as const;

/**
 * Choices that follow from a seed alone. Neighbouring seeds give unrelated choices, so runs can be numbered by them: T. Ettinger's mulberry32, whose
 * output function mixes all bits of its counter.
 */
export class FuzzRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 up to, but not including, `end`. */
  below(end: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * end);
  }

  chance(probability: number): boolean {
    return this.uint32() < probability * 0x1_0000_0000;
  }

  pick<T>(choices: readonly [T, ...(readonly T[])]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** Random bytes; more of them near the ends of their range than chance would have. */
  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => (this.chance(0.2) ? this.pick(EDGE_BYTES) : this.below(256)));
  }

  /** A length up to `longest`, short ones more often. */
  length(longest: number): number {
    return this.below(this.below(longest + 1) + 1);
  }
}
