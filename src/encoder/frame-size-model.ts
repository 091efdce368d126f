/**
 * What frames of one kind come to, by their quantizer: log2(bytes) = level - quantizer / stepsPerOctave. libvpx's scale of 0 to 63 is
 * spaced so that the step size of the quantizer, and with it roughly the size of a frame, changes by the same factor from one to the next.
 *
 * The level is learnt. The slope is not: frames at nearly the same quantizer say nothing about it, and the first ones after a change of
 * quantizer mislead, since they are coded as differences to a picture of the quantizer before.
 */
export class FrameSizeModel {
  readonly #stepsPerOctave: number;
  #level: number;

  /**
   * @param stepsPerOctave Quantizer steps that halve a frame.
   * @param bytesAtZero What a frame is taken to be at quantizer 0 until some were measured.
   */
  constructor(stepsPerOctave: number, bytesAtZero: number) {
    this.#stepsPerOctave = stepsPerOctave;
    this.#level = Math.log2(bytesAtZero);
  }

  /** The quantizer, not rounded and not bounded, at which a frame is expected to take `sizeBytes`. */
  quantizerFor(sizeBytes: number): number {
    return this.#stepsPerOctave * (this.#level - Math.log2(Math.max(sizeBytes, 1)));
  }

  /** By how many octaves a frame was larger than expected. */
  surprise(sizeBytes: number, quantizer: number): number {
    return Math.log2(Math.max(sizeBytes, 1)) + quantizer / this.#stepsPerOctave - this.#level;
  }

  /** Expects frames to be larger by so many octaves from now on. */
  learn(octaves: number): void {
    this.#level += octaves;
  }
}
