/** One octave of noise: a lattice of random values, interpolated in between. */
export interface Octave {
  /** Distance of lattice points across, in pixels; must divide the period. */
  readonly cellWidth: number;
  /** Distance of lattice points down, in pixels. */
  readonly cellHeight: number;
  /** The octave adds values in [-amplitude, amplitude]. */
  readonly amplitude: number;
}

/**
 * Value noise that repeats every `period` pixels across, row by row: the texture of everything in the test pattern.
 * The same seed gives the same noise on every machine.
 */
export class ValueNoise {
  readonly #period: number;
  readonly #seed: number;
  readonly #octaves: readonly (Octave & { readonly weights: Float32Array })[];

  constructor(period: number, seed: number, octaves: readonly Octave[]) {
    this.#period = period;
    this.#seed = seed;
    this.#octaves = octaves.map((octave) => ({
      ...octave,
      weights: Float32Array.from({ length: octave.cellWidth }, (_, x) => smooth(x / octave.cellWidth)),
    }));
  }

  /** Row `y` into the first `period` entries of `row`. */
  fillRow(row: Float32Array, y: number): void {
    row.fill(0);
    for (const [index, octave] of this.#octaves.entries()) {
      this.#addOctave(row, y, octave, octave.weights, this.#seed + index * 7919);
    }
  }

  #addOctave(row: Float32Array, y: number, octave: Octave, weights: Float32Array, seed: number): void {
    const { cellWidth, cellHeight, amplitude } = octave;
    const columns = this.#period / cellWidth;
    const latticeRow = Math.floor(y / cellHeight);
    const down = smooth(y / cellHeight - latticeRow);
    const lattice = (column: number): number => {
      const above = hash(column % columns, latticeRow, seed);
      return amplitude * (above + (hash(column % columns, latticeRow + 1, seed) - above) * down);
    };
    let right = lattice(0);
    for (let column = 0; column < columns; column += 1) {
      const left = right;
      right = lattice(column + 1);
      const start = column * cellWidth;
      for (let x = 0; x < cellWidth; x += 1) {
        row[start + x] = (row[start + x] ?? 0) + left + (right - left) * (weights[x] ?? 0);
      }
    }
  }
}

/** A value in [-1, 1) that depends on the arguments alone; the mixing steps of MurmurHash3's 32-bit finalizer. */
export function hash(x: number, y: number, seed: number): number {
  let bits = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77) ^ Math.imul(seed, 0xc2b2ae3d);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / 0x8000_0000 - 1;
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}
