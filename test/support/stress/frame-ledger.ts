import { isFramelockError } from '../../../src/core/errors.js';
import type { RawVideoFrame } from '../../../src/encoder/video-frame.js';
import type { RtcSender } from '../../../src/sender/rtc-sender.js';
import { DROP_REASONS, type DropReason, type FrameReport } from '../../../src/sender/stats/frame-report.js';
import type { SenderStats } from '../../../src/sender/stats/sender-stats.js';
import type { Violations } from './violations.js';

/** A mailbox holds one frame, an encoder another. */
const MAX_IN_FLIGHT = 2;

/** Keeps the books of frames: each one that is given is reported once and released once, and those of a camera leave in order. */
export class FrameLedger {
  given = 0;
  /** Frames that were refused with an error because their track was gone; they stay their camera's. */
  refused = 0;
  released = 0;
  sent = 0;
  readonly dropped = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>;
  readonly sentBy = new Map<string, number>();
  readonly #violations: Violations;
  /** Capture times of the frames of each camera that are not reported yet. */
  readonly #unreported = new Map<string, Set<number>>();
  readonly #lastSent = new Map<string, number>();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /** Frames whose report was discarded: their track was removed, or the sender closed, by a handler that the report waited behind. */
  get unreported(): number {
    return Array.from(this.#unreported.values()).reduce((sum, times) => sum + times.size, 0);
  }

  /** Gives a frame to the sender, or back to its camera if it is refused. */
  give(sender: RtcSender, trackId: string, frame: RawVideoFrame): void {
    let releases = 0;
    const release = (): void => {
      releases += 1;
      this.released += 1;
      if (releases > 1) this.#violations.add('frames', `${trackId} ${frame.timestamp} was released ${releases} times`);
      else frame.release?.();
    };
    try {
      sender.sendFrame(trackId, { ...frame, release });
    } catch (error) {
      if (!isFramelockError(error, 'TRACK_NOT_FOUND') && !isFramelockError(error, 'CLOSED')) {
        this.#violations.add('call', `sendFrame ${trackId}: ${String(error)}`);
      }
      if (releases > 0) this.#violations.add('frames', `${trackId} ${frame.timestamp} was refused and released`);
      else frame.release?.();
      this.refused += 1;
      return;
    }
    this.given += 1;
    this.#unreportedOf(trackId).add(frame.timestamp);
  }

  reported(report: FrameReport): void {
    const { trackId, timestamp } = report;
    if (!this.#unreportedOf(trackId).delete(timestamp)) {
      this.#violations.add('frames', `${trackId} ${timestamp} was reported twice or never given`);
    }
    if (report.outcome === 'dropped') {
      this.dropped[report.reason] += 1;
      return;
    }
    this.sent += 1;
    this.sentBy.set(trackId, (this.sentBy.get(trackId) ?? 0) + 1);
    if (timestamp <= (this.#lastSent.get(trackId) ?? 0)) {
      this.#violations.add('order', `${trackId} ${timestamp} was sent after a later frame`);
    }
    this.#lastSent.set(trackId, timestamp);
  }

  /** Checks a snapshot of the sender while it runs. */
  checkTracks({ tracks }: SenderStats, mostInFlight = MAX_IN_FLIGHT): void {
    for (const { trackId, frames, framesSent, framesDropped } of tracks) {
      const inFlight = frames - framesSent - Object.values(framesDropped).reduce((sum, count) => sum + count, 0);
      if (inFlight >= 0 && inFlight <= mostInFlight) continue;
      this.#violations.add('frames', `${trackId} has ${inFlight} frames in flight, of ${frames}`);
    }
  }

  /** Closes the books, when the sender is closed: nothing is in flight any more. */
  checkEnd(stats: SenderStats): void {
    this.checkTracks(stats, 0);
    const counted = (stats.lateCompletions['frame'] ?? 0) + stats.events.dropped.frameSent;
    if (this.unreported !== counted) {
      this.#violations.add('frames', `${this.unreported} frames are unreported, ${counted} are counted as such`);
    }
    if (this.released !== this.given) {
      this.#violations.add('frames', `${this.given} frames were given, ${this.released} were released`);
    }
  }

  #unreportedOf(trackId: string): Set<number> {
    const times = this.#unreported.get(trackId) ?? new Set();
    this.#unreported.set(trackId, times);
    return times;
  }
}
