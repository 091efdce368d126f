/** Weight of a rate at which the link was overused, and of one that a probe found (link_capacity_estimator.cc). */
const OVERUSE_WEIGHT = 0.05;
const PROBE_WEIGHT = 0.5;
/** Bounds of the normalised variance, in kbit/s, a deviation of 14 to 35 kbit/s at 500 kbit/s. */
const MIN_VARIANCE_KBPS = 0.4;
const MAX_VARIANCE_KBPS = 2.5;
/** Rates within this many standard deviations are near the capacity. */
const DEVIATIONS = 3;

/**
 * Where the link has been found to be full, and how sure that is (libwebrtc's link_capacity_estimator.cc). Near it the rate is raised
 * gently; a rate beyond it shows that the capacity has changed.
 *
 * Owner: the AIMD control.
 */
export class LinkCapacity {
  #estimateKbps: number | undefined;
  #varianceKbps = MIN_VARIANCE_KBPS;

  /** In bits per second; nothing while it is not known. */
  get estimateBps(): number | undefined {
    return this.#estimateKbps === undefined ? undefined : this.#estimateKbps * 1000;
  }

  get upperBoundBps(): number {
    if (this.#estimateKbps === undefined) return Number.POSITIVE_INFINITY;
    return (this.#estimateKbps + DEVIATIONS * this.#deviationKbps) * 1000;
  }

  get lowerBoundBps(): number {
    if (this.#estimateKbps === undefined) return 0;
    return Math.max(0, this.#estimateKbps - DEVIATIONS * this.#deviationKbps) * 1000;
  }

  overused(ackedBps: number): void {
    this.#update(ackedBps, OVERUSE_WEIGHT);
  }

  probed(probedBps: number): void {
    this.#update(probedBps, PROBE_WEIGHT);
  }

  reset(): void {
    this.#estimateKbps = undefined;
  }

  get #deviationKbps(): number {
    return Math.sqrt(this.#varianceKbps * (this.#estimateKbps ?? 0));
  }

  #update(sampleBps: number, weight: number): void {
    const sampleKbps = sampleBps / 1000;
    const estimateKbps =
      this.#estimateKbps === undefined ? sampleKbps : (1 - weight) * this.#estimateKbps + weight * sampleKbps;
    this.#estimateKbps = estimateKbps;
    const error = estimateKbps - sampleKbps;
    const variance = (1 - weight) * this.#varianceKbps + (weight * error * error) / Math.max(estimateKbps, 1);
    this.#varianceKbps = Math.min(Math.max(variance, MIN_VARIANCE_KBPS), MAX_VARIANCE_KBPS);
  }
}
