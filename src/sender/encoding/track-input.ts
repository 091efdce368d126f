import type { Mailbox } from '../../concurrency/mailbox.js';
import type { Clock } from '../../core/clock.js';
import type { FrameInput } from '../../encoder/encoder.js';
import type { FrameTimes } from '../stats/frame-report.js';

/** A frame waiting in the mailbox, with the times it has gathered so far. */
export interface QueuedFrame<Frame> {
  readonly frame: Frame;
  readonly times: FrameTimes;
}

/**
 * The encoder's view of the mailbox. Old and new encoder of a swap share it; whoever holds the read side of encoderMu reads, so a frame is
 * taken by exactly one of them. It remembers the frame that was taken, whose times the encode loop reports.
 *
 * Owner: the encode loop.
 */
export class TrackInput<Frame> implements FrameInput<Frame> {
  readonly #mailbox: Mailbox<QueuedFrame<Frame>>;
  readonly #clock: Clock;
  #taken: FrameTimes | undefined;

  constructor(mailbox: Mailbox<QueuedFrame<Frame>>, clock: Clock) {
    this.#mailbox = mailbox;
    this.#clock = clock;
  }

  take(): Frame | undefined {
    const queued = this.#mailbox.take();
    if (queued === undefined) return undefined;
    this.#taken = { ...queued.times, dequeuedAtUs: this.#clock.nowUs() };
    return queued.frame;
  }

  /** Times of the frame taken by the last `read()`; asking forgets them, so that each frame is reported once. */
  collectTaken(): FrameTimes | undefined {
    const taken = this.#taken;
    this.#taken = undefined;
    return taken;
  }
}
