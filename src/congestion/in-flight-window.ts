/** What may be in flight beyond the round trip, and the share on top (libwebrtc allows 350 ms, for links with deep queues and no driver). */
const ADDITIONAL_TIME_US = 60_000;
const HEADROOM = 1.5;
/** Two full packets: less would stop the flow. */
const LEAST_BYTES = 2_400;

/** Fill of the window at which the encoders are slowed down, and by how much (congestion_window_pushback_controller.cc). */
const MUCH_TOO_FULL = 1.5;
const TOO_FULL = 1;
const NEARLY_EMPTY = 0.1;
const MUCH_LESS = 0.9;
const LESS = 0.95;
const MORE = 1.05;
const LEAST_SHARE = 0.1;

/**
 * Bounds what is in flight, whatever the estimate: should the link stop, no more than this piles up in it
 * (libwebrtc's congestion_window_pushback_controller.cc).
 *
 * Owner: the network controller.
 */
export class InFlightWindow {
  #share = 1;

  /** In bytes. @param loopUs the least time from sending to feedback, and between two feedbacks */
  sizeBytes(targetBps: number, loopUs: number): number {
    return Math.max((targetBps * (loopUs + ADDITIONAL_TIME_US) * HEADROOM) / 8_000_000, LEAST_BYTES);
  }

  /** The share of the target that encoders may take, 0.1 to 1; to be asked once with each feedback. */
  share(inFlightBytes: number, sizeBytes: number): number {
    const fill = inFlightBytes / sizeBytes;
    if (fill > MUCH_TOO_FULL) this.#share *= MUCH_LESS;
    else if (fill > TOO_FULL) this.#share *= LESS;
    else this.#share = fill < NEARLY_EMPTY ? 1 : this.#share * MORE;
    this.#share = Math.min(Math.max(this.#share, LEAST_SHARE), 1);
    return this.#share;
  }

  /** Another route. */
  reset(): void {
    this.#share = 1;
  }
}
