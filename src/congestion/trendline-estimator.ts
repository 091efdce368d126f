import type { GroupDelta } from './arrival-groups.js';

/** What the queue at the bottleneck does. */
export type BandwidthUsage = 'normal' | 'overusing' | 'underusing';

/** What follows are the constants of trendline_estimator.cc, under the names that they have there; times in milliseconds as there. */
const WINDOW_SIZE = 20;
const SMOOTHING_COEFFICIENT = 0.9;
const THRESHOLD_GAIN = 4;
const MIN_NUM_DELTAS = 60;
const DELTA_COUNTER_MAX = 1000;
const OVER_USING_TIME_THRESHOLD_MS = 10;
const MAX_ADAPT_OFFSET_MS = 15;
const GAIN_UP = 0.0087;
const GAIN_DOWN = 0.039;
const INITIAL_THRESHOLD_MS = 12.5;
const MIN_THRESHOLD_MS = 6;
const MAX_THRESHOLD_MS = 600;
const MAX_THRESHOLD_STEP_MS = 100;

interface Point {
  readonly receivedAtMs: number;
  readonly smoothedDelayMs: number;
}

/**
 * Tells from the trend of one-way delays whether a queue builds up, with a threshold that adapts so that other flows do not starve this one
 * (libwebrtc's trendline_estimator.cc; draft-ietf-rmcat-gcc-02 section 5.4 for the threshold).
 *
 * Owner: the delay-based estimator.
 */
export class TrendlineEstimator {
  readonly #window: Point[] = [];
  #deltas = 0;
  #firstReceivedAtMs: number | undefined;
  #accumulatedDelayMs = 0;
  #smoothedDelayMs = 0;
  #previousTrend = 0;
  #thresholdMs = INITIAL_THRESHOLD_MS;
  #thresholdUpdatedAtMs: number | undefined;
  #overusingMs: number | undefined;
  #overuses = 0;
  #usage: BandwidthUsage = 'normal';

  get usage(): BandwidthUsage {
    return this.#usage;
  }

  /** @param receivedAtUs when the newer group arrived, on the receiver's clock */
  update({ sentUs, receivedUs }: GroupDelta, receivedAtUs: number): void {
    const receivedAtMs = receivedAtUs / 1000;
    this.#deltas = Math.min(this.#deltas + 1, DELTA_COUNTER_MAX);
    this.#firstReceivedAtMs ??= receivedAtMs;
    this.#accumulatedDelayMs += (receivedUs - sentUs) / 1000;
    this.#smoothedDelayMs =
      SMOOTHING_COEFFICIENT * this.#smoothedDelayMs + (1 - SMOOTHING_COEFFICIENT) * this.#accumulatedDelayMs;
    this.#window.push({
      receivedAtMs: receivedAtMs - this.#firstReceivedAtMs,
      smoothedDelayMs: this.#smoothedDelayMs,
    });
    if (this.#window.length > WINDOW_SIZE) this.#window.shift();
    const slope = this.#window.length === WINDOW_SIZE ? linearFitSlope(this.#window) : undefined;
    this.#detect(slope ?? this.#previousTrend, sentUs / 1000, receivedAtMs);
  }

  #detect(trend: number, sentMs: number, receivedAtMs: number): void {
    if (this.#deltas < 2) return;
    const modifiedTrend = Math.min(this.#deltas, MIN_NUM_DELTAS) * trend * THRESHOLD_GAIN;
    if (modifiedTrend > this.#thresholdMs) {
      this.#overusingMs = this.#overusingMs === undefined ? sentMs / 2 : this.#overusingMs + sentMs;
      this.#overuses += 1;
      if (this.#overusingMs > OVER_USING_TIME_THRESHOLD_MS && this.#overuses > 1 && trend >= this.#previousTrend) {
        this.#overusingMs = 0;
        this.#overuses = 0;
        this.#usage = 'overusing';
      }
    } else {
      this.#overusingMs = undefined;
      this.#overuses = 0;
      this.#usage = modifiedTrend < -this.#thresholdMs ? 'underusing' : 'normal';
    }
    this.#previousTrend = trend;
    this.#adaptThreshold(Math.abs(modifiedTrend), receivedAtMs);
  }

  #adaptThreshold(magnitudeMs: number, nowMs: number): void {
    const elapsedMs = Math.min(nowMs - (this.#thresholdUpdatedAtMs ?? nowMs), MAX_THRESHOLD_STEP_MS);
    this.#thresholdUpdatedAtMs = nowMs;
    // A sudden jump, of a route or a radio cell, says nothing about what is normal.
    if (magnitudeMs > this.#thresholdMs + MAX_ADAPT_OFFSET_MS) return;
    const gain = magnitudeMs < this.#thresholdMs ? GAIN_DOWN : GAIN_UP;
    const adapted = this.#thresholdMs + gain * (magnitudeMs - this.#thresholdMs) * Math.max(elapsedMs, 0);
    this.#thresholdMs = Math.min(Math.max(adapted, MIN_THRESHOLD_MS), MAX_THRESHOLD_MS);
  }
}

/** Least squares; nothing if all points arrived at once. */
function linearFitSlope(points: readonly Point[]): number | undefined {
  let sumX = 0;
  let sumY = 0;
  for (const { receivedAtMs, smoothedDelayMs } of points) {
    sumX += receivedAtMs;
    sumY += smoothedDelayMs;
  }
  const meanX = sumX / points.length;
  const meanY = sumY / points.length;
  let numerator = 0;
  let denominator = 0;
  for (const { receivedAtMs, smoothedDelayMs } of points) {
    numerator += (receivedAtMs - meanX) * (smoothedDelayMs - meanY);
    denominator += (receivedAtMs - meanX) ** 2;
  }
  return denominator === 0 ? undefined : numerator / denominator;
}
