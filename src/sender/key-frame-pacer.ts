import type { Track } from './track.js';

/** Between two key frames of one track that peers ask for: libwebrtc's kMinKeyframeSendIntervalMs of video/encoder_rtcp_feedback.cc. */
const MIN_INTERVAL_US = 300_000;
/** Between key frames of different tracks, a frame interval: a viewer that joins asks for all of them at once. */
const TURN_US = 33_000;
/** No track waits longer for its turn. */
const LONGEST_TURN_US = 200_000;

/**
 * Spaces the key frames that peers ask for. A single wish is met with the next frame; the wishes of a storm become one key frame in 300 ms, and
 * none is lost; tracks that are asked at once take turns, since their key frames together would be a burst that no link takes well.
 *
 * Owner: the feedback router. Time comes in as an argument.
 */
export class KeyFramePacer {
  /** When the last wish of each track was or will be due. */
  readonly #dueUs = new WeakMap<Track, number>();
  #nextTurnUs = 0;

  request(track: Track, nowUs: number): void {
    const lastUs = this.#dueUs.get(track) ?? Number.NEGATIVE_INFINITY;
    // One is on its way already.
    if (lastUs > nowUs) return;
    const earliestUs = Math.max(nowUs, lastUs + MIN_INTERVAL_US);
    const dueUs = Math.min(Math.max(earliestUs, this.#nextTurnUs), earliestUs + LONGEST_TURN_US);
    this.#nextTurnUs = dueUs + TURN_US;
    this.#dueUs.set(track, dueUs);
    track.requestKeyFrame(dueUs);
  }
}
