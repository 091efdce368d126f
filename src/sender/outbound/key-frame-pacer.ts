/** Between two key frames of one track that peers ask for: libwebrtc's kMinKeyframeSendIntervalMs of video/encoder_rtcp_feedback.cc. */
const MIN_INTERVAL_US = 300_000;
/** Between key frames of different tracks, a frame interval: a viewer that joins asks for all of them at once, and so does a link that fails. */
const TURN_US = 33_000;
/** No track waits longer for its turn. */
const LONGEST_TURN_US = 200_000;

/** A track, as far as its key frames go. */
export interface KeyFrameSource {
  /** The first frame from this time on is to be a key frame. */
  requestKeyFrame(fromUs: number): void;
}

/**
 * Spaces the key frames of all tracks. A single wish is met with the next frame; the wishes of a storm become one key frame an interval, and
 * none is lost; tracks that are asked at once take turns, since their key frames together would be a burst that no link takes well.
 *
 * Owner: the sender. Time comes in as an argument.
 */
export class KeyFramePacer {
  /** When the last wish of each track was or will be due, and whether it has been met. */
  readonly #wishes = new WeakMap<KeyFrameSource, { readonly dueUs: number; readonly isMet: boolean }>();
  /** Turns that have been given, in order; those that lie behind are forgotten. */
  #turnsUs: readonly number[] = [];

  /**
   * @param minIntervalUs between this key frame and the last one of the same track
   * @returns when it is due
   */
  request(track: KeyFrameSource, nowUs: number, minIntervalUs = MIN_INTERVAL_US): number {
    const last = this.#wishes.get(track) ?? { dueUs: Number.NEGATIVE_INFINITY, isMet: true };
    // One is on its way already; an encoder that has not made it for so long is asked again.
    if (last.dueUs > nowUs || (!last.isMet && nowUs < last.dueUs + minIntervalUs)) return last.dueUs;
    const dueUs = this.#takeTurn(last.isMet ? Math.max(nowUs, last.dueUs + minIntervalUs) : nowUs, nowUs);
    this.#wishes.set(track, { dueUs, isMet: false });
    track.requestKeyFrame(dueUs);
    return dueUs;
  }

  /** The track has made a key frame: a wish is met by it, whether it was made for that or not. */
  made(track: KeyFrameSource, nowUs: number): void {
    if (this.#wishes.get(track)?.isMet === false) this.#wishes.set(track, { dueUs: nowUs, isMet: true });
  }

  #takeTurn(earliestUs: number, nowUs: number): number {
    const taken = this.#turnsUs.filter((turnUs) => turnUs > nowUs - TURN_US);
    let dueUs = earliestUs;
    for (const turnUs of taken) if (Math.abs(turnUs - dueUs) < TURN_US) dueUs = turnUs + TURN_US;
    dueUs = Math.min(dueUs, earliestUs + LONGEST_TURN_US);
    this.#turnsUs = [...taken, dueUs].sort((a, b) => a - b);
    return dueUs;
  }
}
