import { expect } from 'vitest';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import type { RecordedPicture } from './recorded-pictures.js';

/** The frames of a camera that a receiver should see: those that were sent, and those that a change of the camera cost. */
export class DueFrames {
  readonly #cameraId: number;
  readonly #times: number[] = [];

  /** @param cameraId in the bar codes of its pictures */
  constructor(sender: RtcSender, trackId: string, cameraId: number) {
    this.#cameraId = cameraId;
    sender.on('frameSent', (report) => {
      if (report.trackId !== trackId) return;
      if (report.outcome === 'sent' || report.reason === 'reconfigured') this.#times.push(report.timestamp);
    });
  }

  /** Capture times of pictures, which must all be whole, of this camera and these frames, and in order. */
  timesOf(pictures: readonly RecordedPicture[]): readonly number[] {
    expect(pictures.filter(({ code }) => code?.cameraId !== this.#cameraId)).toEqual([]);
    const times = pictures.flatMap(({ code }) => (code === undefined ? [] : [code.captureTimeUs]));
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    const due = new Set(this.#times);
    expect(times.filter((time) => !due.has(time))).toEqual([]);
    return times;
  }

  /** How many of these frames are missing among the times of pictures: before the first of some moments, between them, and after the last. */
  missing(times: readonly number[], moments: readonly number[]): readonly number[] {
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    const seen = new Set(times);
    const lost = this.#times.filter((time) => time > first && time < last && !seen.has(time));
    const borders = [0, ...moments, Number.POSITIVE_INFINITY];
    return moments.concat(0).map((_, index) => {
      const [from = 0, to = 0] = borders.slice(index);
      return lost.filter((time) => time >= from && time < to).length;
    });
  }
}
