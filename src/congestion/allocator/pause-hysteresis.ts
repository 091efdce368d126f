/** A shortage up to this share of the minimum is sat out for a while; a larger one pauses at once. */
const SEVERE_SHORTAGE = 0.3;
const SIT_OUT_US = 300_000;

/** What a paused track needs must be there for so long on end. */
const COVERED_US = 1_000_000;
/** A track that was paused stays so for at least this long, twice as long after each flap, up to the longest. */
const LEAST_PAUSE_US = 2_000_000;
const LONGEST_PAUSE_US = 16_000_000;
/** Paused again within this time of its return, a track has flapped. */
const FLAP_US = LONGEST_PAUSE_US;

/** What is there for a track when its turn comes. */
export interface Offer {
  readonly nowUs: number;
  readonly minBps: number;
  /** What is left of the budget. */
  readonly leftBps: number;
  /** What of it is there for a track that has not been decided on yet, and for one that would return from a pause. */
  readonly newcomerBps: number;
  readonly returnerBps: number;
}

/**
 * Decides whether one track is admitted, so that a budget that wobbles does not switch it on and off: each return costs a key frame.
 *
 * An admitted track is paused when its minimum has not been covered for 300 ms, or at once if more than 30 % are missing. A paused one returns
 * when it was off long enough and what it needs has been there for a second. A track that has not been decided on yet is admitted if its
 * minimum is covered. The conditions are those of the project's design; libwebrtc has the margin only, and no times.
 *
 * Owner: the Allocator.
 */
export class PauseHysteresis {
  #state: 'new' | 'admitted' | 'paused' = 'new';
  /** When the state was entered. */
  #sinceUs = Number.NEGATIVE_INFINITY;
  /** How long the last pause had to last at least; 0 before the first one. */
  #pauseUs = 0;
  #shortSinceUs: number | undefined;
  #coveredSinceUs: number | undefined;

  /** Another one in the same state. */
  copy(): PauseHysteresis {
    const copy = new PauseHysteresis();
    copy.#state = this.#state;
    copy.#sinceUs = this.#sinceUs;
    copy.#pauseUs = this.#pauseUs;
    copy.#shortSinceUs = this.#shortSinceUs;
    copy.#coveredSinceUs = this.#coveredSinceUs;
    return copy;
  }

  get admitted(): boolean {
    return this.#state === 'admitted';
  }

  /** Whether it is admitted although its minimum was not covered the last time. */
  get short(): boolean {
    return this.#shortSinceUs !== undefined;
  }

  /** Whether it is paused although what it needs was there the last time. */
  get resuming(): boolean {
    return this.#coveredSinceUs !== undefined;
  }

  /** When {@link decide} comes to something else if the offer stays as it was. */
  get dueUs(): number {
    if (this.#shortSinceUs !== undefined) return this.#shortSinceUs + SIT_OUT_US;
    if (this.#coveredSinceUs === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(this.#coveredSinceUs + COVERED_US, this.#sinceUs + this.#pauseUs);
  }

  /** Admits the track whatever there is for it. */
  enforce({ nowUs, minBps, leftBps }: Offer): void {
    this.#admit(nowUs);
    // Nothing is sat out: the shortage is told, and begins anew should the minimum no longer be enforced.
    this.#shortSinceUs = leftBps < minBps ? nowUs : undefined;
  }

  decide(offer: Offer): void {
    if (this.#state === 'admitted') this.#keepOrPause(offer);
    else if (this.#state === 'paused') this.#waitOrReturn(offer);
    else if (offer.newcomerBps >= offer.minBps) this.#admit(offer.nowUs);
    else this.#waitOrReturn(offer);
  }

  #keepOrPause({ nowUs, minBps, leftBps }: Offer): void {
    if (leftBps >= minBps) {
      this.#shortSinceUs = undefined;
      return;
    }
    this.#shortSinceUs ??= nowUs;
    const severe = minBps - leftBps > SEVERE_SHORTAGE * minBps;
    if (severe || nowUs >= this.dueUs) this.#pause(nowUs);
  }

  #waitOrReturn({ nowUs, minBps, returnerBps }: Offer): void {
    this.#state = 'paused';
    this.#coveredSinceUs = returnerBps >= minBps ? (this.#coveredSinceUs ?? nowUs) : undefined;
    // Without a minimum there is nothing to be short of.
    if (minBps === 0 || nowUs >= this.dueUs) this.#admit(nowUs);
  }

  #admit(nowUs: number): void {
    if (this.#state !== 'admitted') this.#sinceUs = nowUs;
    this.#state = 'admitted';
    this.#coveredSinceUs = undefined;
  }

  #pause(nowUs: number): void {
    const flapped = nowUs - this.#sinceUs < FLAP_US;
    this.#pauseUs = flapped ? Math.min(Math.max(2 * this.#pauseUs, LEAST_PAUSE_US), LONGEST_PAUSE_US) : LEAST_PAUSE_US;
    this.#state = 'paused';
    this.#sinceUs = nowUs;
    this.#shortSinceUs = undefined;
  }
}
