/** W3C `RTCQualityLimitationReason`, as far as a sender of raw frames can tell. */
export type QualityLimitationReason = 'none' | 'cpu' | 'bandwidth';

/** Seconds spent in each state since the track was added (W3C `qualityLimitationDurations`). */
export type QualityLimitationDurations = Readonly<Record<QualityLimitationReason, number>>;

/** How long one lost frame colours the state. Without a memory, a track that loses every third frame would look unlimited two thirds of the time. */
const HOLD_US = 1_000_000;

/**
 * Tells what limits a track: `bandwidth` while the rate controller skips frames or the picture is scaled down, `cpu` while the encoder is slower than the camera.
 * Bandwidth wins where both hold, as in libwebrtc's `video/quality_limitation_reason_tracker.cc`.
 *
 * Owner: the track's statistics. Time comes in as an argument.
 */
export class QualityLimitationTracker {
  readonly #durationsUs: Record<QualityLimitationReason, number> = { none: 0, cpu: 0, bandwidth: 0 };
  #accountedUntilUs: number;
  #cpuUntilUs = 0;
  #bandwidthUntilUs = 0;
  #scaled = false;

  constructor(nowUs: number) {
    this.#accountedUntilUs = nowUs;
  }

  frameReplaced(nowUs: number): void {
    this.#account(nowUs);
    this.#cpuUntilUs = nowUs + HOLD_US;
  }

  frameSkipped(nowUs: number): void {
    this.#account(nowUs);
    this.#bandwidthUntilUs = nowUs + HOLD_US;
  }

  /** The picture is scaled down from now on, or not any more. */
  scaled(down: boolean, nowUs: number): void {
    this.#account(nowUs);
    this.#scaled = down;
  }

  reason(nowUs: number): QualityLimitationReason {
    if (this.#scaled || nowUs < this.#bandwidthUntilUs) return 'bandwidth';
    return nowUs < this.#cpuUntilUs ? 'cpu' : 'none';
  }

  durations(nowUs: number): QualityLimitationDurations {
    this.#account(nowUs);
    const { none, cpu, bandwidth } = this.#durationsUs;
    return { none: none / 1e6, cpu: cpu / 1e6, bandwidth: bandwidth / 1e6 };
  }

  /** When a state ends that nothing renews, or `nowUs` if nothing ends it. */
  #endOf(reason: QualityLimitationReason, nowUs: number): number {
    if (reason === 'bandwidth' && !this.#scaled) return this.#bandwidthUntilUs;
    return reason === 'cpu' ? this.#cpuUntilUs : nowUs;
  }

  /** Books the time since the last call, split where a state ended in between. */
  #account(nowUs: number): void {
    while (this.#accountedUntilUs < nowUs) {
      const reason = this.reason(this.#accountedUntilUs);
      const changesAtUs = this.#endOf(reason, nowUs);
      const untilUs = Math.min(nowUs, changesAtUs);
      this.#durationsUs[reason] += untilUs - this.#accountedUntilUs;
      this.#accountedUntilUs = untilUs;
    }
  }
}
