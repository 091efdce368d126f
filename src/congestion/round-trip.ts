import { WindowedMinimum } from './windowed-minimum.js';

/** Weight of one sample in the smoothed round trip (RFC 6298 section 2, alpha). */
const SMOOTHING = 1 / 8;
/** Until something is known; libwebrtc's default (aimd_rate_control.cc, `kDefaultRtt`). */
const ASSUMED_US = 200_000;
/** The least round trip is that of this time. */
const MIN_WINDOW_US = 10_000_000;
const MIN_RESOLUTION_US = 100_000;
/** libwebrtc's receivers send feedback every 50 to 250 ms (transport_sequence_number_feedback_generator.cc), LiveKit's every 330 ms where there are few packets. */
const ASSUMED_INTERVAL_US = 100_000;
/** What took longer was a pause, or several messages were lost. */
const LONGEST_INTERVAL_US = 500_000;

/**
 * Round trips as feedback shows them: from a packet's sending to the feedback about it, which includes what the receiver waits to send it.
 *
 * Owner: the network controller.
 */
export class RoundTrip {
  readonly #least = new WindowedMinimum(MIN_WINDOW_US, MIN_RESOLUTION_US);
  #smoothedUs: number | undefined;
  #feedbackIntervalUs = ASSUMED_INTERVAL_US;
  #fedBackAtUs: number | undefined;

  get us(): number {
    return this.#smoothedUs ?? ASSUMED_US;
  }

  /** From a packet's sending to the feedback about it at the latest, without queues. */
  get loopUs(): number {
    return this.minUs + this.#feedbackIntervalUs;
  }

  /** Between two messages of feedback, lost ones left out: smoothed. */
  get feedbackIntervalUs(): number {
    return this.#feedbackIntervalUs;
  }

  get minUs(): number {
    return this.#least.value ?? ASSUMED_US;
  }

  add(rttUs: number, nowUs: number): void {
    const intervalUs = Math.min(nowUs - (this.#fedBackAtUs ?? nowUs), LONGEST_INTERVAL_US);
    this.#fedBackAtUs = nowUs;
    this.#feedbackIntervalUs += SMOOTHING * (intervalUs - this.#feedbackIntervalUs);
    this.#smoothedUs =
      this.#smoothedUs === undefined ? rttUs : this.#smoothedUs + SMOOTHING * (rttUs - this.#smoothedUs);
    this.#least.add(rttUs, nowUs);
  }

  reset(): void {
    this.#smoothedUs = undefined;
    this.#least.clear();
    this.#fedBackAtUs = undefined;
    this.#feedbackIntervalUs = ASSUMED_INTERVAL_US;
  }
}
