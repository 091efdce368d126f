import type { Chance } from '../../test/support/simulator/chance.js';

/** Which packets a link loses. */
export interface Loss {
  /** Whether a packet that is sent at this time is lost. */
  takes(sentMs: number): boolean;
}

/** Each packet by itself. */
export class RandomLoss implements Loss {
  readonly #share: number;
  readonly #chance: Chance;

  constructor(share: number, chance: Chance) {
    this.#share = share;
    this.#chance = chance;
  }

  takes(): boolean {
    return this.#chance.next() < this.#share;
  }
}

/** Of a burst on average; packets of a frame are 1 ms apart. */
const BURST_MS = 4;

/** All packets of a bad time, which lasts 4 ms on average: about four packets of a frame (E. N. Gilbert, Capacity of a burst-noise channel, 1960, in continuous time). */
export class BurstyLoss implements Loss {
  /** Times at which the link changes between good and bad, good first. */
  readonly #changesMs: readonly number[];

  constructor(share: number, chance: Chance, untilMs: number) {
    const changes: number[] = [];
    const goodMs = (BURST_MS * (1 - share)) / share;
    let atMs = 0;
    for (let isGood = true; share > 0 && atMs < untilMs; isGood = !isGood) {
      atMs += chance.exponential(isGood ? goodMs : BURST_MS);
      changes.push(atMs);
    }
    this.#changesMs = changes;
  }

  takes(sentMs: number): boolean {
    let low = 0;
    let high = this.#changesMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changesMs[middle] ?? 0) <= sentMs) low = middle + 1;
      else high = middle;
    }
    return low % 2 === 1;
  }
}
