/** Health of one track. */
export type TrackHealth =
  /** No frame has arrived yet, or there is no connection to send on. */
  | 'waiting'
  /** Frames arrive and are encoded. */
  | 'ok'
  /** Frames arrive and none has been encoded for {@link STALL_AFTER_US}. */
  | 'stalled'
  /** Its encoder failed again and again, fresh ones too; `recreateEncoder` tries once more. */
  | 'failed'
  /** Frames used to arrive and do not any more: the camera, not the encoder, is at fault. */
  | 'no-input'
  /** Paused by the allocation; not a fault. */
  | 'paused';

/** A track is stalled when frames arrive and none was encoded for this long (`GetEncodeFrameOk` of the model: 2 s). */
export const STALL_AFTER_US = 2_000_000;

/**
 * Watches one track: every camera has a watchdog of its own, so that one live camera cannot hide a dead one.
 *
 * Owner: the track. Time comes in as an argument.
 */
export class TrackWatchdog {
  #lastFrameAtUs: number | undefined;
  #unencodedSinceUs: number | undefined;

  /** A frame was accepted for an active, connected track. */
  frameArrived(nowUs: number): void {
    this.#lastFrameAtUs = nowUs;
    this.#unencodedSinceUs ??= nowUs;
  }

  /** A frame was encoded, or skipped on purpose by the rate controller: the encode loop is alive. */
  frameProcessed(): void {
    this.#unencodedSinceUs = undefined;
  }

  /** Forgets the past: after a pause or a reconnect the stall clock starts anew. */
  reset(): void {
    this.#lastFrameAtUs = undefined;
    this.#unencodedSinceUs = undefined;
  }

  health(nowUs: number): Exclude<TrackHealth, 'paused' | 'failed'> {
    if (this.#lastFrameAtUs === undefined) return 'waiting';
    if (nowUs - this.#lastFrameAtUs >= STALL_AFTER_US) return 'no-input';
    if (this.#unencodedSinceUs !== undefined && nowUs - this.#unencodedSinceUs >= STALL_AFTER_US) return 'stalled';
    return 'ok';
  }
}
