/** An encoder that makes no key frame for this long after it was due does not make any, and may refresh its picture in another way. */
const GIVE_UP_US = 1_000_000;

/**
 * Remembers that frames were thrown away which later ones refer to: until the next key frame no receiver can use any, and they would only take up the
 * link that is too slow already.
 *
 * Owner: the track. Time comes in as an argument.
 */
export class KeyFrameWait {
  /** When the key frame is due; nothing while every frame can be used. */
  #dueUs: number | undefined;

  /** @param dueUs when the key frame that mends it will come */
  begin(dueUs: number): void {
    this.#dueUs = dueUs;
  }

  /** The receiver will begin anew, or has what it needs. */
  end(): void {
    this.#dueUs = undefined;
  }

  /** Whether a frame that is encoded now could be used. */
  isEncodingOfUse(nowUs: number): boolean {
    return this.#dueUs === undefined || nowUs >= this.#dueUs;
  }

  /** Whether a frame of this type can be used; a key frame ends the wait. */
  isOfUse(type: 'key' | 'delta', nowUs: number): boolean {
    if (this.#dueUs !== undefined && (type === 'key' || nowUs >= this.#dueUs + GIVE_UP_US)) this.end();
    return this.#dueUs === undefined;
  }
}
