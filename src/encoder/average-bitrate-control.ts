import type { RateControl, RateSettings } from './rate-control.js';

/** Length of the rate buffer in seconds at the target rate. */
const BUFFER_SECONDS = 0.3;

/** Rate control of an encoder that holds an average rate by itself and takes a new one between two frames, as hardware encoders do. */
export class AverageBitrateControl implements RateControl {
  #targetBps: number;

  constructor(targetBps: number) {
    this.#targetBps = targetBps;
  }

  setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  plan(): RateSettings {
    const averageBps = Math.round(this.#targetBps);
    return { averageBps, peakBps: averageBps, bufferBits: Math.round(averageBps * BUFFER_SECONDS) };
  }

  encoded(): void {
    // The encoder keeps its own account.
  }
}
